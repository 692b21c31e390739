// Made from schema.ts by `npm run generate`. Do not edit.
export const policy = validate10;

function validate10(data){
let vErrors = null;
let errors = 0;
const fault = (path, keyword, params, name) => {
(vErrors ??= []).push({ path, keyword, params, name });
errors++;
};
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.policy === undefined){
fault("", "required", {missingProperty: "policy"});
}
if(data.targets === undefined){
fault("", "required", {missingProperty: "targets"});
}
for(const key0 in data){
if(!(((((((key0 === "policy") || (key0 === "time_zone")) || (key0 === "targets")) || (key0 === "retention")) || (key0 === "make_room")) || (key0 === "hold")) || (key0 === "dry_run"))){
fault("", "additionalProperties", {additionalProperty: key0});
}
}
if(data.policy !== undefined){
let data0 = data.policy;
if(typeof data0 === "string"){
if(!new RegExp("^(?!autobk_snapshot_)[A-Za-z][A-Za-z0-9_-]{0,37}$", "u").test(data0)){
fault("/policy", "pattern", {expected: "a letter followed by up to 37 letters, digits, hyphens or underscores, not beginning with autobk_snapshot_"});
}
}
else {
fault("/policy", "type", {type: "string"});
}
}
if(data.time_zone !== undefined){
if(typeof data.time_zone !== "string"){
fault("/time_zone", "type", {type: "string"});
}
}
if(data.targets !== undefined){
let data2 = data.targets;
if(Array.isArray(data2)){
if(data2.length < 1){
fault("/targets", "minItems", {limit: 1});
}
const len0 = data2.length;
for(let i0=0; i0<len0; i0++){
let data3 = data2[i0];
if(data3 && typeof data3 == "object" && !Array.isArray(data3)){
if(data3.kind === undefined){
fault("/targets/" + i0, "required", {missingProperty: "kind"});
}
if(data3.kind !== undefined){
let data4 = data3.kind;
if(data4 !== "snapshot" && data4 !== "standard-snapshot" && data4 !== "snapshot-group" && data4 !== "cluster-snapshot"){
fault("/targets/" + i0+"/kind", "enum", {expected: "\"snapshot\" or \"standard-snapshot\" or \"snapshot-group\" or \"cluster-snapshot\""});
}
}
const tag0 = data3.kind;
if(typeof tag0 == "string"){
if(tag0 === "snapshot"){
if(data3 && typeof data3 == "object" && !Array.isArray(data3)){
if(data3.kind === undefined){
fault("/targets/" + i0, "required", {missingProperty: "kind"});
}
for(const key1 in data3){
if(!((((((key1 === "kind") || (key1 === "volume_ids")) || (key1 === "tags")) || (key1 === "exclude_tags")) || (key1 === "description")) || (key1 === "force"))){
fault("/targets/" + i0, "additionalProperties", {additionalProperty: key1});
}
}
if(data3.kind !== undefined){
let data5 = data3.kind;
if(typeof data5 !== "string"){
fault("/targets/" + i0+"/kind", "type", {type: "string"});
}
if("snapshot" !== data5){
fault("/targets/" + i0+"/kind", "const", {allowedValue: "snapshot"});
}
}
if(data3.volume_ids !== undefined){
let data6 = data3.volume_ids;
if(Array.isArray(data6)){
if(data6.length < 1){
fault("/targets/" + i0+"/volume_ids", "minItems", {limit: 1});
}
const len1 = data6.length;
for(let i1=0; i1<len1; i1++){
let data7 = data6[i1];
if(typeof data7 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data7)){
fault("/targets/" + i0+"/volume_ids/" + i1, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i0+"/volume_ids/" + i1, "type", {type: "string"});
}
}
let i2 = data6.length;
let j0;
if(i2 > 1){
const indices0 = {};
for(;i2--;){
let item0 = data6[i2];
if(typeof item0 !== "string"){
continue;
}
if(typeof indices0[item0] == "number"){
j0 = indices0[item0];
fault("/targets/" + i0+"/volume_ids", "uniqueItems", {i: i2, j: j0});
break;
}
indices0[item0] = i2;
}
}
}
else {
fault("/targets/" + i0+"/volume_ids", "type", {type: "array"});
}
}
if(data3.tags !== undefined){
let data8 = data3.tags;
if(data8 && typeof data8 == "object" && !Array.isArray(data8)){
if(Object.keys(data8).length < 1){
fault("/targets/" + i0+"/tags", "minProperties", {limit: 1});
}
for(const key2 in data8){
const _errs23 = errors;
if(typeof key2 === "string"){
if([...key2].length < 1){
fault("/targets/" + i0+"/tags", "minLength", {limit: 1}, key2);
}
}
var valid10 = _errs23 === errors;
if(!valid10){
fault("/targets/" + i0+"/tags", "propertyNames", {propertyName: key2});
}
}
for(const key3 in data8){
if(typeof data8[key3] !== "string"){
fault("/targets/" + i0+"/tags/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/tags", "type", {type: "object"});
}
}
if(data3.exclude_tags !== undefined){
let data10 = data3.exclude_tags;
if(data10 && typeof data10 == "object" && !Array.isArray(data10)){
if(Object.keys(data10).length < 1){
fault("/targets/" + i0+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key4 in data10){
const _errs29 = errors;
if(typeof key4 === "string"){
if([...key4].length < 1){
fault("/targets/" + i0+"/exclude_tags", "minLength", {limit: 1}, key4);
}
}
var valid12 = _errs29 === errors;
if(!valid12){
fault("/targets/" + i0+"/exclude_tags", "propertyNames", {propertyName: key4});
}
}
for(const key5 in data10){
if(typeof data10[key5] !== "string"){
fault("/targets/" + i0+"/exclude_tags/" + key5.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/exclude_tags", "type", {type: "object"});
}
}
if(data3.description !== undefined){
let data12 = data3.description;
if(typeof data12 === "string"){
if(data12.length > 85 && [...data12].length > 85){
fault("/targets/" + i0+"/description", "maxLength", {limit: 85});
}
}
else {
fault("/targets/" + i0+"/description", "type", {type: "string"});
}
}
if(data3.force !== undefined){
if(typeof data3.force !== "boolean"){
fault("/targets/" + i0+"/force", "type", {type: "boolean"});
}
}
if(data3["volume_ids"] === undefined && data3["tags"] === undefined){
fault("/targets/" + i0, "x-required-any-of", {expected: "volume_ids or tags"});
}
}
else {
fault("/targets/" + i0, "type", {type: "object"});
}
}
else if(tag0 === "standard-snapshot"){
if(data3 && typeof data3 == "object" && !Array.isArray(data3)){
if(data3.kind === undefined){
fault("/targets/" + i0, "required", {missingProperty: "kind"});
}
for(const key6 in data3){
if(!(((((((key6 === "kind") || (key6 === "volume_ids")) || (key6 === "tags")) || (key6 === "exclude_tags")) || (key6 === "description")) || (key6 === "incremental")) || (key6 === "instant_access"))){
fault("/targets/" + i0, "additionalProperties", {additionalProperty: key6});
}
}
if(data3.kind !== undefined){
let data14 = data3.kind;
if(typeof data14 !== "string"){
fault("/targets/" + i0+"/kind", "type", {type: "string"});
}
if("standard-snapshot" !== data14){
fault("/targets/" + i0+"/kind", "const", {allowedValue: "standard-snapshot"});
}
}
if(data3.volume_ids !== undefined){
let data15 = data3.volume_ids;
if(Array.isArray(data15)){
if(data15.length < 1){
fault("/targets/" + i0+"/volume_ids", "minItems", {limit: 1});
}
const len2 = data15.length;
for(let i3=0; i3<len2; i3++){
let data16 = data15[i3];
if(typeof data16 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data16)){
fault("/targets/" + i0+"/volume_ids/" + i3, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i0+"/volume_ids/" + i3, "type", {type: "string"});
}
}
let i4 = data15.length;
let j1;
if(i4 > 1){
const indices1 = {};
for(;i4--;){
let item1 = data15[i4];
if(typeof item1 !== "string"){
continue;
}
if(typeof indices1[item1] == "number"){
j1 = indices1[item1];
fault("/targets/" + i0+"/volume_ids", "uniqueItems", {i: i4, j: j1});
break;
}
indices1[item1] = i4;
}
}
}
else {
fault("/targets/" + i0+"/volume_ids", "type", {type: "array"});
}
}
if(data3.tags !== undefined){
let data17 = data3.tags;
if(data17 && typeof data17 == "object" && !Array.isArray(data17)){
if(Object.keys(data17).length < 1){
fault("/targets/" + i0+"/tags", "minProperties", {limit: 1});
}
for(const key7 in data17){
const _errs48 = errors;
if(typeof key7 === "string"){
if([...key7].length < 1){
fault("/targets/" + i0+"/tags", "minLength", {limit: 1}, key7);
}
}
var valid19 = _errs48 === errors;
if(!valid19){
fault("/targets/" + i0+"/tags", "propertyNames", {propertyName: key7});
}
}
for(const key8 in data17){
if(typeof data17[key8] !== "string"){
fault("/targets/" + i0+"/tags/" + key8.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/tags", "type", {type: "object"});
}
}
if(data3.exclude_tags !== undefined){
let data19 = data3.exclude_tags;
if(data19 && typeof data19 == "object" && !Array.isArray(data19)){
if(Object.keys(data19).length < 1){
fault("/targets/" + i0+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key9 in data19){
const _errs54 = errors;
if(typeof key9 === "string"){
if([...key9].length < 1){
fault("/targets/" + i0+"/exclude_tags", "minLength", {limit: 1}, key9);
}
}
var valid21 = _errs54 === errors;
if(!valid21){
fault("/targets/" + i0+"/exclude_tags", "propertyNames", {propertyName: key9});
}
}
for(const key10 in data19){
if(typeof data19[key10] !== "string"){
fault("/targets/" + i0+"/exclude_tags/" + key10.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/exclude_tags", "type", {type: "object"});
}
}
if(data3.description !== undefined){
let data21 = data3.description;
if(typeof data21 === "string"){
if(data21.length > 85 && [...data21].length > 85){
fault("/targets/" + i0+"/description", "maxLength", {limit: 85});
}
}
else {
fault("/targets/" + i0+"/description", "type", {type: "string"});
}
}
if(data3.incremental !== undefined){
if(typeof data3.incremental !== "boolean"){
fault("/targets/" + i0+"/incremental", "type", {type: "boolean"});
}
}
if(data3.instant_access !== undefined){
if(typeof data3.instant_access !== "boolean"){
fault("/targets/" + i0+"/instant_access", "type", {type: "boolean"});
}
}
if(data3["volume_ids"] === undefined && data3["tags"] === undefined){
fault("/targets/" + i0, "x-required-any-of", {expected: "volume_ids or tags"});
}
}
else {
fault("/targets/" + i0, "type", {type: "object"});
}
}
else if(tag0 === "snapshot-group"){
if(data3 && typeof data3 == "object" && !Array.isArray(data3)){
if(data3.kind === undefined){
fault("/targets/" + i0, "required", {missingProperty: "kind"});
}
for(const key11 in data3){
if(!(((((((key11 === "kind") || (key11 === "server_ids")) || (key11 === "tags")) || (key11 === "exclude_tags")) || (key11 === "description")) || (key11 === "incremental")) || (key11 === "instant_access"))){
fault("/targets/" + i0, "additionalProperties", {additionalProperty: key11});
}
}
if(data3.kind !== undefined){
let data24 = data3.kind;
if(typeof data24 !== "string"){
fault("/targets/" + i0+"/kind", "type", {type: "string"});
}
if("snapshot-group" !== data24){
fault("/targets/" + i0+"/kind", "const", {allowedValue: "snapshot-group"});
}
}
if(data3.server_ids !== undefined){
let data25 = data3.server_ids;
if(Array.isArray(data25)){
if(data25.length < 1){
fault("/targets/" + i0+"/server_ids", "minItems", {limit: 1});
}
const len3 = data25.length;
for(let i5=0; i5<len3; i5++){
let data26 = data25[i5];
if(typeof data26 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data26)){
fault("/targets/" + i0+"/server_ids/" + i5, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i0+"/server_ids/" + i5, "type", {type: "string"});
}
}
let i6 = data25.length;
let j2;
if(i6 > 1){
const indices2 = {};
for(;i6--;){
let item2 = data25[i6];
if(typeof item2 !== "string"){
continue;
}
if(typeof indices2[item2] == "number"){
j2 = indices2[item2];
fault("/targets/" + i0+"/server_ids", "uniqueItems", {i: i6, j: j2});
break;
}
indices2[item2] = i6;
}
}
}
else {
fault("/targets/" + i0+"/server_ids", "type", {type: "array"});
}
}
if(data3.tags !== undefined){
let data27 = data3.tags;
if(data27 && typeof data27 == "object" && !Array.isArray(data27)){
if(Object.keys(data27).length < 1){
fault("/targets/" + i0+"/tags", "minProperties", {limit: 1});
}
for(const key12 in data27){
const _errs75 = errors;
if(typeof key12 === "string"){
if([...key12].length < 1){
fault("/targets/" + i0+"/tags", "minLength", {limit: 1}, key12);
}
}
var valid28 = _errs75 === errors;
if(!valid28){
fault("/targets/" + i0+"/tags", "propertyNames", {propertyName: key12});
}
}
for(const key13 in data27){
if(typeof data27[key13] !== "string"){
fault("/targets/" + i0+"/tags/" + key13.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/tags", "type", {type: "object"});
}
}
if(data3.exclude_tags !== undefined){
let data29 = data3.exclude_tags;
if(data29 && typeof data29 == "object" && !Array.isArray(data29)){
if(Object.keys(data29).length < 1){
fault("/targets/" + i0+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key14 in data29){
const _errs81 = errors;
if(typeof key14 === "string"){
if([...key14].length < 1){
fault("/targets/" + i0+"/exclude_tags", "minLength", {limit: 1}, key14);
}
}
var valid30 = _errs81 === errors;
if(!valid30){
fault("/targets/" + i0+"/exclude_tags", "propertyNames", {propertyName: key14});
}
}
for(const key15 in data29){
if(typeof data29[key15] !== "string"){
fault("/targets/" + i0+"/exclude_tags/" + key15.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/exclude_tags", "type", {type: "object"});
}
}
if(data3.description !== undefined){
let data31 = data3.description;
if(typeof data31 === "string"){
if(Buffer.byteLength(data31) > 255){
fault("/targets/" + i0+"/description", "x-max-bytes", {limit: 255});
}
}
else {
fault("/targets/" + i0+"/description", "type", {type: "string"});
}
}
if(data3.incremental !== undefined){
if(typeof data3.incremental !== "boolean"){
fault("/targets/" + i0+"/incremental", "type", {type: "boolean"});
}
}
if(data3.instant_access !== undefined){
if(typeof data3.instant_access !== "boolean"){
fault("/targets/" + i0+"/instant_access", "type", {type: "boolean"});
}
}
if(data3["server_ids"] === undefined && data3["tags"] === undefined){
fault("/targets/" + i0, "x-required-any-of", {expected: "server_ids or tags"});
}
}
else {
fault("/targets/" + i0, "type", {type: "object"});
}
}
else if(tag0 === "cluster-snapshot"){
if(data3 && typeof data3 == "object" && !Array.isArray(data3)){
if(data3.kind === undefined){
fault("/targets/" + i0, "required", {missingProperty: "kind"});
}
for(const key16 in data3){
if(!(((((key16 === "kind") || (key16 === "cluster_ids")) || (key16 === "tags")) || (key16 === "exclude_tags")) || (key16 === "description"))){
fault("/targets/" + i0, "additionalProperties", {additionalProperty: key16});
}
}
if(data3.kind !== undefined){
let data34 = data3.kind;
if(typeof data34 !== "string"){
fault("/targets/" + i0+"/kind", "type", {type: "string"});
}
if("cluster-snapshot" !== data34){
fault("/targets/" + i0+"/kind", "const", {allowedValue: "cluster-snapshot"});
}
}
if(data3.cluster_ids !== undefined){
let data35 = data3.cluster_ids;
if(Array.isArray(data35)){
if(data35.length < 1){
fault("/targets/" + i0+"/cluster_ids", "minItems", {limit: 1});
}
const len4 = data35.length;
for(let i7=0; i7<len4; i7++){
let data36 = data35[i7];
if(typeof data36 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data36)){
fault("/targets/" + i0+"/cluster_ids/" + i7, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i0+"/cluster_ids/" + i7, "type", {type: "string"});
}
}
let i8 = data35.length;
let j3;
if(i8 > 1){
const indices3 = {};
for(;i8--;){
let item3 = data35[i8];
if(typeof item3 !== "string"){
continue;
}
if(typeof indices3[item3] == "number"){
j3 = indices3[item3];
fault("/targets/" + i0+"/cluster_ids", "uniqueItems", {i: i8, j: j3});
break;
}
indices3[item3] = i8;
}
}
}
else {
fault("/targets/" + i0+"/cluster_ids", "type", {type: "array"});
}
}
if(data3.tags !== undefined){
let data37 = data3.tags;
if(data37 && typeof data37 == "object" && !Array.isArray(data37)){
if(Object.keys(data37).length < 1){
fault("/targets/" + i0+"/tags", "minProperties", {limit: 1});
}
for(const key17 in data37){
const _errs102 = errors;
if(typeof key17 === "string"){
if([...key17].length < 1){
fault("/targets/" + i0+"/tags", "minLength", {limit: 1}, key17);
}
}
var valid37 = _errs102 === errors;
if(!valid37){
fault("/targets/" + i0+"/tags", "propertyNames", {propertyName: key17});
}
}
for(const key18 in data37){
if(typeof data37[key18] !== "string"){
fault("/targets/" + i0+"/tags/" + key18.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/tags", "type", {type: "object"});
}
}
if(data3.exclude_tags !== undefined){
let data39 = data3.exclude_tags;
if(data39 && typeof data39 == "object" && !Array.isArray(data39)){
if(Object.keys(data39).length < 1){
fault("/targets/" + i0+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key19 in data39){
const _errs108 = errors;
if(typeof key19 === "string"){
if([...key19].length < 1){
fault("/targets/" + i0+"/exclude_tags", "minLength", {limit: 1}, key19);
}
}
var valid39 = _errs108 === errors;
if(!valid39){
fault("/targets/" + i0+"/exclude_tags", "propertyNames", {propertyName: key19});
}
}
for(const key20 in data39){
if(typeof data39[key20] !== "string"){
fault("/targets/" + i0+"/exclude_tags/" + key20.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/exclude_tags", "type", {type: "object"});
}
}
if(data3.description !== undefined){
let data41 = data3.description;
if(typeof data41 === "string"){
if(data41.length > 120 && [...data41].length > 120){
fault("/targets/" + i0+"/description", "maxLength", {limit: 120});
}
if(!new RegExp("^(?![\\s\\S]*managed-by:)[^!<>'=&\"]*$", "u").test(data41)){
fault("/targets/" + i0+"/description", "pattern", {expected: "a text without managed-by: and without any of !<>'=&\""});
}
}
else {
fault("/targets/" + i0+"/description", "type", {type: "string"});
}
}
if(data3["cluster_ids"] === undefined && data3["tags"] === undefined){
fault("/targets/" + i0, "x-required-any-of", {expected: "cluster_ids or tags"});
}
}
else {
fault("/targets/" + i0, "type", {type: "object"});
}
}
else {
fault("/targets/" + i0, "discriminator", {error: "mapping", tag: "kind", tagValue: tag0});
}
}
else {
fault("/targets/" + i0, "discriminator", {error: "tag", tag: "kind", tagValue: tag0});
}
}
else {
fault("/targets/" + i0, "type", {type: "object"});
}
}
}
else {
fault("/targets", "type", {type: "array"});
}
}
if(data.retention !== undefined){
let data42 = data.retention;
if(data42 && typeof data42 == "object" && !Array.isArray(data42)){
for(const key21 in data42){
if(!(((((((key21 === "keep_last") || (key21 === "keep_within_days")) || (key21 === "keep_daily")) || (key21 === "keep_weekly")) || (key21 === "keep_monthly")) || (key21 === "keep_yearly")) || (key21 === "min_keep"))){
fault("/retention", "additionalProperties", {additionalProperty: key21});
}
}
if(data42.keep_last !== undefined){
let data43 = data42.keep_last;
if(!(((typeof data43 == "number") && (!(data43 % 1) && !isNaN(data43))) && (isFinite(data43)))){
fault("/retention/keep_last", "type", {type: "integer"});
}
if((typeof data43 == "number") && (isFinite(data43))){
if(data43 < 0 || isNaN(data43)){
fault("/retention/keep_last", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data42.keep_within_days !== undefined){
let data44 = data42.keep_within_days;
if(!(((typeof data44 == "number") && (!(data44 % 1) && !isNaN(data44))) && (isFinite(data44)))){
fault("/retention/keep_within_days", "type", {type: "integer"});
}
if((typeof data44 == "number") && (isFinite(data44))){
if(data44 < 0 || isNaN(data44)){
fault("/retention/keep_within_days", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data42.keep_daily !== undefined){
let data45 = data42.keep_daily;
if(!(((typeof data45 == "number") && (!(data45 % 1) && !isNaN(data45))) && (isFinite(data45)))){
fault("/retention/keep_daily", "type", {type: "integer"});
}
if((typeof data45 == "number") && (isFinite(data45))){
if(data45 < 0 || isNaN(data45)){
fault("/retention/keep_daily", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data42.keep_weekly !== undefined){
let data46 = data42.keep_weekly;
if(!(((typeof data46 == "number") && (!(data46 % 1) && !isNaN(data46))) && (isFinite(data46)))){
fault("/retention/keep_weekly", "type", {type: "integer"});
}
if((typeof data46 == "number") && (isFinite(data46))){
if(data46 < 0 || isNaN(data46)){
fault("/retention/keep_weekly", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data42.keep_monthly !== undefined){
let data47 = data42.keep_monthly;
if(!(((typeof data47 == "number") && (!(data47 % 1) && !isNaN(data47))) && (isFinite(data47)))){
fault("/retention/keep_monthly", "type", {type: "integer"});
}
if((typeof data47 == "number") && (isFinite(data47))){
if(data47 < 0 || isNaN(data47)){
fault("/retention/keep_monthly", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data42.keep_yearly !== undefined){
let data48 = data42.keep_yearly;
if(!(((typeof data48 == "number") && (!(data48 % 1) && !isNaN(data48))) && (isFinite(data48)))){
fault("/retention/keep_yearly", "type", {type: "integer"});
}
if((typeof data48 == "number") && (isFinite(data48))){
if(data48 < 0 || isNaN(data48)){
fault("/retention/keep_yearly", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data42.min_keep !== undefined){
let data49 = data42.min_keep;
if(!(((typeof data49 == "number") && (!(data49 % 1) && !isNaN(data49))) && (isFinite(data49)))){
fault("/retention/min_keep", "type", {type: "integer"});
}
if((typeof data49 == "number") && (isFinite(data49))){
if(data49 < 1 || isNaN(data49)){
fault("/retention/min_keep", "minimum", {comparison: ">=", limit: 1});
}
}
}
}
else {
fault("/retention", "type", {type: "object"});
}
}
if(data.make_room !== undefined){
if(typeof data.make_room !== "boolean"){
fault("/make_room", "type", {type: "boolean"});
}
}
if(data.hold !== undefined){
let data51 = data.hold;
if(Array.isArray(data51)){
const len5 = data51.length;
for(let i9=0; i9<len5; i9++){
let data52 = data51[i9];
if(typeof data52 === "string"){
if([...data52].length < 1){
fault("/hold/" + i9, "minLength", {limit: 1});
}
}
else {
fault("/hold/" + i9, "type", {type: "string"});
}
}
}
else {
fault("/hold", "type", {type: "array"});
}
}
if(data.dry_run !== undefined){
if(typeof data.dry_run !== "boolean"){
fault("/dry_run", "type", {type: "boolean"});
}
}
}
else {
fault("", "type", {type: "object"});
}
validate10.errors = vErrors;
return errors === 0;
}

