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
if(!(((((((key0 === "policy") || (key0 === "time_zone")) || (key0 === "retention")) || (key0 === "make_room")) || (key0 === "hold")) || (key0 === "dry_run")) || (key0 === "targets"))){
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
if(data.retention !== undefined){
let data2 = data.retention;
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
for(const key1 in data2){
if(!(((((((key1 === "keep_last") || (key1 === "keep_within_days")) || (key1 === "keep_daily")) || (key1 === "keep_weekly")) || (key1 === "keep_monthly")) || (key1 === "keep_yearly")) || (key1 === "min_keep"))){
fault("/retention", "additionalProperties", {additionalProperty: key1});
}
}
if(data2.keep_last !== undefined){
let data3 = data2.keep_last;
if(!(((typeof data3 == "number") && (!(data3 % 1) && !isNaN(data3))) && (isFinite(data3)))){
fault("/retention/keep_last", "type", {type: "integer"});
}
if((typeof data3 == "number") && (isFinite(data3))){
if(data3 < 0 || isNaN(data3)){
fault("/retention/keep_last", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data2.keep_within_days !== undefined){
let data4 = data2.keep_within_days;
if(!(((typeof data4 == "number") && (!(data4 % 1) && !isNaN(data4))) && (isFinite(data4)))){
fault("/retention/keep_within_days", "type", {type: "integer"});
}
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 < 0 || isNaN(data4)){
fault("/retention/keep_within_days", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data2.keep_daily !== undefined){
let data5 = data2.keep_daily;
if(!(((typeof data5 == "number") && (!(data5 % 1) && !isNaN(data5))) && (isFinite(data5)))){
fault("/retention/keep_daily", "type", {type: "integer"});
}
if((typeof data5 == "number") && (isFinite(data5))){
if(data5 < 0 || isNaN(data5)){
fault("/retention/keep_daily", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data2.keep_weekly !== undefined){
let data6 = data2.keep_weekly;
if(!(((typeof data6 == "number") && (!(data6 % 1) && !isNaN(data6))) && (isFinite(data6)))){
fault("/retention/keep_weekly", "type", {type: "integer"});
}
if((typeof data6 == "number") && (isFinite(data6))){
if(data6 < 0 || isNaN(data6)){
fault("/retention/keep_weekly", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data2.keep_monthly !== undefined){
let data7 = data2.keep_monthly;
if(!(((typeof data7 == "number") && (!(data7 % 1) && !isNaN(data7))) && (isFinite(data7)))){
fault("/retention/keep_monthly", "type", {type: "integer"});
}
if((typeof data7 == "number") && (isFinite(data7))){
if(data7 < 0 || isNaN(data7)){
fault("/retention/keep_monthly", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data2.keep_yearly !== undefined){
let data8 = data2.keep_yearly;
if(!(((typeof data8 == "number") && (!(data8 % 1) && !isNaN(data8))) && (isFinite(data8)))){
fault("/retention/keep_yearly", "type", {type: "integer"});
}
if((typeof data8 == "number") && (isFinite(data8))){
if(data8 < 0 || isNaN(data8)){
fault("/retention/keep_yearly", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data2.min_keep !== undefined){
let data9 = data2.min_keep;
if(!(((typeof data9 == "number") && (!(data9 % 1) && !isNaN(data9))) && (isFinite(data9)))){
fault("/retention/min_keep", "type", {type: "integer"});
}
if((typeof data9 == "number") && (isFinite(data9))){
if(data9 < 1 || isNaN(data9)){
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
let data11 = data.hold;
if(Array.isArray(data11)){
const len0 = data11.length;
for(let i0=0; i0<len0; i0++){
let data12 = data11[i0];
if(typeof data12 === "string"){
if([...data12].length < 1){
fault("/hold/" + i0, "minLength", {limit: 1});
}
}
else {
fault("/hold/" + i0, "type", {type: "string"});
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
if(data.targets !== undefined){
let data14 = data.targets;
if(Array.isArray(data14)){
if(data14.length < 1){
fault("/targets", "minItems", {limit: 1});
}
const len1 = data14.length;
for(let i1=0; i1<len1; i1++){
let data15 = data14[i1];
if(data15 && typeof data15 == "object" && !Array.isArray(data15)){
if(data15.kind === undefined){
fault("/targets/" + i1, "required", {missingProperty: "kind"});
}
if(data15.kind !== undefined){
let data16 = data15.kind;
if(data16 !== "snapshot" && data16 !== "standard-snapshot" && data16 !== "snapshot-group" && data16 !== "cluster-snapshot"){
fault("/targets/" + i1+"/kind", "enum", {expected: "\"snapshot\" or \"standard-snapshot\" or \"snapshot-group\" or \"cluster-snapshot\""});
}
}
const tag0 = data15.kind;
if(typeof tag0 == "string"){
if(tag0 === "snapshot"){
if(data15 && typeof data15 == "object" && !Array.isArray(data15)){
if(data15.kind === undefined){
fault("/targets/" + i1, "required", {missingProperty: "kind"});
}
for(const key2 in data15){
if(!((((((key2 === "kind") || (key2 === "volume_ids")) || (key2 === "tags")) || (key2 === "exclude_tags")) || (key2 === "description")) || (key2 === "force"))){
fault("/targets/" + i1, "additionalProperties", {additionalProperty: key2});
}
}
if(data15.kind !== undefined){
let data17 = data15.kind;
if(typeof data17 !== "string"){
fault("/targets/" + i1+"/kind", "type", {type: "string"});
}
if("snapshot" !== data17){
fault("/targets/" + i1+"/kind", "const", {allowedValue: "snapshot"});
}
}
if(data15.volume_ids !== undefined){
let data18 = data15.volume_ids;
if(Array.isArray(data18)){
if(data18.length < 1){
fault("/targets/" + i1+"/volume_ids", "minItems", {limit: 1});
}
const len2 = data18.length;
for(let i2=0; i2<len2; i2++){
let data19 = data18[i2];
if(typeof data19 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data19)){
fault("/targets/" + i1+"/volume_ids/" + i2, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i1+"/volume_ids/" + i2, "type", {type: "string"});
}
}
let i3 = data18.length;
let j0;
if(i3 > 1){
const indices0 = {};
for(;i3--;){
let item0 = data18[i3];
if(typeof item0 !== "string"){
continue;
}
if(typeof indices0[item0] == "number"){
j0 = indices0[item0];
fault("/targets/" + i1+"/volume_ids", "uniqueItems", {i: i3, j: j0});
break;
}
indices0[item0] = i3;
}
}
}
else {
fault("/targets/" + i1+"/volume_ids", "type", {type: "array"});
}
}
if(data15.tags !== undefined){
let data20 = data15.tags;
if(data20 && typeof data20 == "object" && !Array.isArray(data20)){
if(Object.keys(data20).length < 1){
fault("/targets/" + i1+"/tags", "minProperties", {limit: 1});
}
for(const key3 in data20){
const _errs48 = errors;
if(typeof key3 === "string"){
if([...key3].length < 1){
fault("/targets/" + i1+"/tags", "minLength", {limit: 1}, key3);
}
}
var valid13 = _errs48 === errors;
if(!valid13){
fault("/targets/" + i1+"/tags", "propertyNames", {propertyName: key3});
}
}
for(const key4 in data20){
if(typeof data20[key4] !== "string"){
fault("/targets/" + i1+"/tags/" + key4.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i1+"/tags", "type", {type: "object"});
}
}
if(data15.exclude_tags !== undefined){
let data22 = data15.exclude_tags;
if(data22 && typeof data22 == "object" && !Array.isArray(data22)){
if(Object.keys(data22).length < 1){
fault("/targets/" + i1+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key5 in data22){
const _errs54 = errors;
if(typeof key5 === "string"){
if([...key5].length < 1){
fault("/targets/" + i1+"/exclude_tags", "minLength", {limit: 1}, key5);
}
}
var valid15 = _errs54 === errors;
if(!valid15){
fault("/targets/" + i1+"/exclude_tags", "propertyNames", {propertyName: key5});
}
}
for(const key6 in data22){
if(typeof data22[key6] !== "string"){
fault("/targets/" + i1+"/exclude_tags/" + key6.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i1+"/exclude_tags", "type", {type: "object"});
}
}
if(data15.description !== undefined){
let data24 = data15.description;
if(typeof data24 === "string"){
if(data24.length > 85 && [...data24].length > 85){
fault("/targets/" + i1+"/description", "maxLength", {limit: 85});
}
}
else {
fault("/targets/" + i1+"/description", "type", {type: "string"});
}
}
if(data15.force !== undefined){
if(typeof data15.force !== "boolean"){
fault("/targets/" + i1+"/force", "type", {type: "boolean"});
}
}
if(data15["volume_ids"] === undefined && data15["tags"] === undefined){
fault("/targets/" + i1, "x-required-any-of", {expected: "volume_ids or tags"});
}
}
else {
fault("/targets/" + i1, "type", {type: "object"});
}
}
else if(tag0 === "standard-snapshot"){
if(data15 && typeof data15 == "object" && !Array.isArray(data15)){
if(data15.kind === undefined){
fault("/targets/" + i1, "required", {missingProperty: "kind"});
}
for(const key7 in data15){
if(!(((((((key7 === "kind") || (key7 === "volume_ids")) || (key7 === "tags")) || (key7 === "exclude_tags")) || (key7 === "description")) || (key7 === "incremental")) || (key7 === "instant_access"))){
fault("/targets/" + i1, "additionalProperties", {additionalProperty: key7});
}
}
if(data15.kind !== undefined){
let data26 = data15.kind;
if(typeof data26 !== "string"){
fault("/targets/" + i1+"/kind", "type", {type: "string"});
}
if("standard-snapshot" !== data26){
fault("/targets/" + i1+"/kind", "const", {allowedValue: "standard-snapshot"});
}
}
if(data15.volume_ids !== undefined){
let data27 = data15.volume_ids;
if(Array.isArray(data27)){
if(data27.length < 1){
fault("/targets/" + i1+"/volume_ids", "minItems", {limit: 1});
}
const len3 = data27.length;
for(let i4=0; i4<len3; i4++){
let data28 = data27[i4];
if(typeof data28 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data28)){
fault("/targets/" + i1+"/volume_ids/" + i4, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i1+"/volume_ids/" + i4, "type", {type: "string"});
}
}
let i5 = data27.length;
let j1;
if(i5 > 1){
const indices1 = {};
for(;i5--;){
let item1 = data27[i5];
if(typeof item1 !== "string"){
continue;
}
if(typeof indices1[item1] == "number"){
j1 = indices1[item1];
fault("/targets/" + i1+"/volume_ids", "uniqueItems", {i: i5, j: j1});
break;
}
indices1[item1] = i5;
}
}
}
else {
fault("/targets/" + i1+"/volume_ids", "type", {type: "array"});
}
}
if(data15.tags !== undefined){
let data29 = data15.tags;
if(data29 && typeof data29 == "object" && !Array.isArray(data29)){
if(Object.keys(data29).length < 1){
fault("/targets/" + i1+"/tags", "minProperties", {limit: 1});
}
for(const key8 in data29){
const _errs73 = errors;
if(typeof key8 === "string"){
if([...key8].length < 1){
fault("/targets/" + i1+"/tags", "minLength", {limit: 1}, key8);
}
}
var valid22 = _errs73 === errors;
if(!valid22){
fault("/targets/" + i1+"/tags", "propertyNames", {propertyName: key8});
}
}
for(const key9 in data29){
if(typeof data29[key9] !== "string"){
fault("/targets/" + i1+"/tags/" + key9.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i1+"/tags", "type", {type: "object"});
}
}
if(data15.exclude_tags !== undefined){
let data31 = data15.exclude_tags;
if(data31 && typeof data31 == "object" && !Array.isArray(data31)){
if(Object.keys(data31).length < 1){
fault("/targets/" + i1+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key10 in data31){
const _errs79 = errors;
if(typeof key10 === "string"){
if([...key10].length < 1){
fault("/targets/" + i1+"/exclude_tags", "minLength", {limit: 1}, key10);
}
}
var valid24 = _errs79 === errors;
if(!valid24){
fault("/targets/" + i1+"/exclude_tags", "propertyNames", {propertyName: key10});
}
}
for(const key11 in data31){
if(typeof data31[key11] !== "string"){
fault("/targets/" + i1+"/exclude_tags/" + key11.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i1+"/exclude_tags", "type", {type: "object"});
}
}
if(data15.description !== undefined){
let data33 = data15.description;
if(typeof data33 === "string"){
if(data33.length > 85 && [...data33].length > 85){
fault("/targets/" + i1+"/description", "maxLength", {limit: 85});
}
}
else {
fault("/targets/" + i1+"/description", "type", {type: "string"});
}
}
if(data15.incremental !== undefined){
if(typeof data15.incremental !== "boolean"){
fault("/targets/" + i1+"/incremental", "type", {type: "boolean"});
}
}
if(data15.instant_access !== undefined){
if(typeof data15.instant_access !== "boolean"){
fault("/targets/" + i1+"/instant_access", "type", {type: "boolean"});
}
}
if(data15["volume_ids"] === undefined && data15["tags"] === undefined){
fault("/targets/" + i1, "x-required-any-of", {expected: "volume_ids or tags"});
}
}
else {
fault("/targets/" + i1, "type", {type: "object"});
}
}
else if(tag0 === "snapshot-group"){
if(data15 && typeof data15 == "object" && !Array.isArray(data15)){
if(data15.kind === undefined){
fault("/targets/" + i1, "required", {missingProperty: "kind"});
}
for(const key12 in data15){
if(!(((((((key12 === "kind") || (key12 === "server_ids")) || (key12 === "tags")) || (key12 === "exclude_tags")) || (key12 === "description")) || (key12 === "incremental")) || (key12 === "instant_access"))){
fault("/targets/" + i1, "additionalProperties", {additionalProperty: key12});
}
}
if(data15.kind !== undefined){
let data36 = data15.kind;
if(typeof data36 !== "string"){
fault("/targets/" + i1+"/kind", "type", {type: "string"});
}
if("snapshot-group" !== data36){
fault("/targets/" + i1+"/kind", "const", {allowedValue: "snapshot-group"});
}
}
if(data15.server_ids !== undefined){
let data37 = data15.server_ids;
if(Array.isArray(data37)){
if(data37.length < 1){
fault("/targets/" + i1+"/server_ids", "minItems", {limit: 1});
}
const len4 = data37.length;
for(let i6=0; i6<len4; i6++){
let data38 = data37[i6];
if(typeof data38 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data38)){
fault("/targets/" + i1+"/server_ids/" + i6, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i1+"/server_ids/" + i6, "type", {type: "string"});
}
}
let i7 = data37.length;
let j2;
if(i7 > 1){
const indices2 = {};
for(;i7--;){
let item2 = data37[i7];
if(typeof item2 !== "string"){
continue;
}
if(typeof indices2[item2] == "number"){
j2 = indices2[item2];
fault("/targets/" + i1+"/server_ids", "uniqueItems", {i: i7, j: j2});
break;
}
indices2[item2] = i7;
}
}
}
else {
fault("/targets/" + i1+"/server_ids", "type", {type: "array"});
}
}
if(data15.tags !== undefined){
let data39 = data15.tags;
if(data39 && typeof data39 == "object" && !Array.isArray(data39)){
if(Object.keys(data39).length < 1){
fault("/targets/" + i1+"/tags", "minProperties", {limit: 1});
}
for(const key13 in data39){
const _errs100 = errors;
if(typeof key13 === "string"){
if([...key13].length < 1){
fault("/targets/" + i1+"/tags", "minLength", {limit: 1}, key13);
}
}
var valid31 = _errs100 === errors;
if(!valid31){
fault("/targets/" + i1+"/tags", "propertyNames", {propertyName: key13});
}
}
for(const key14 in data39){
if(typeof data39[key14] !== "string"){
fault("/targets/" + i1+"/tags/" + key14.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i1+"/tags", "type", {type: "object"});
}
}
if(data15.exclude_tags !== undefined){
let data41 = data15.exclude_tags;
if(data41 && typeof data41 == "object" && !Array.isArray(data41)){
if(Object.keys(data41).length < 1){
fault("/targets/" + i1+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key15 in data41){
const _errs106 = errors;
if(typeof key15 === "string"){
if([...key15].length < 1){
fault("/targets/" + i1+"/exclude_tags", "minLength", {limit: 1}, key15);
}
}
var valid33 = _errs106 === errors;
if(!valid33){
fault("/targets/" + i1+"/exclude_tags", "propertyNames", {propertyName: key15});
}
}
for(const key16 in data41){
if(typeof data41[key16] !== "string"){
fault("/targets/" + i1+"/exclude_tags/" + key16.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i1+"/exclude_tags", "type", {type: "object"});
}
}
if(data15.description !== undefined){
let data43 = data15.description;
if(typeof data43 === "string"){
if(Buffer.byteLength(data43) > 255){
fault("/targets/" + i1+"/description", "x-max-bytes", {limit: 255});
}
}
else {
fault("/targets/" + i1+"/description", "type", {type: "string"});
}
}
if(data15.incremental !== undefined){
if(typeof data15.incremental !== "boolean"){
fault("/targets/" + i1+"/incremental", "type", {type: "boolean"});
}
}
if(data15.instant_access !== undefined){
if(typeof data15.instant_access !== "boolean"){
fault("/targets/" + i1+"/instant_access", "type", {type: "boolean"});
}
}
if(data15["server_ids"] === undefined && data15["tags"] === undefined){
fault("/targets/" + i1, "x-required-any-of", {expected: "server_ids or tags"});
}
}
else {
fault("/targets/" + i1, "type", {type: "object"});
}
}
else if(tag0 === "cluster-snapshot"){
if(data15 && typeof data15 == "object" && !Array.isArray(data15)){
if(data15.kind === undefined){
fault("/targets/" + i1, "required", {missingProperty: "kind"});
}
for(const key17 in data15){
if(!(((((key17 === "kind") || (key17 === "cluster_ids")) || (key17 === "tags")) || (key17 === "exclude_tags")) || (key17 === "description"))){
fault("/targets/" + i1, "additionalProperties", {additionalProperty: key17});
}
}
if(data15.kind !== undefined){
let data46 = data15.kind;
if(typeof data46 !== "string"){
fault("/targets/" + i1+"/kind", "type", {type: "string"});
}
if("cluster-snapshot" !== data46){
fault("/targets/" + i1+"/kind", "const", {allowedValue: "cluster-snapshot"});
}
}
if(data15.cluster_ids !== undefined){
let data47 = data15.cluster_ids;
if(Array.isArray(data47)){
if(data47.length < 1){
fault("/targets/" + i1+"/cluster_ids", "minItems", {limit: 1});
}
const len5 = data47.length;
for(let i8=0; i8<len5; i8++){
let data48 = data47[i8];
if(typeof data48 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data48)){
fault("/targets/" + i1+"/cluster_ids/" + i8, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i1+"/cluster_ids/" + i8, "type", {type: "string"});
}
}
let i9 = data47.length;
let j3;
if(i9 > 1){
const indices3 = {};
for(;i9--;){
let item3 = data47[i9];
if(typeof item3 !== "string"){
continue;
}
if(typeof indices3[item3] == "number"){
j3 = indices3[item3];
fault("/targets/" + i1+"/cluster_ids", "uniqueItems", {i: i9, j: j3});
break;
}
indices3[item3] = i9;
}
}
}
else {
fault("/targets/" + i1+"/cluster_ids", "type", {type: "array"});
}
}
if(data15.tags !== undefined){
let data49 = data15.tags;
if(data49 && typeof data49 == "object" && !Array.isArray(data49)){
if(Object.keys(data49).length < 1){
fault("/targets/" + i1+"/tags", "minProperties", {limit: 1});
}
for(const key18 in data49){
const _errs127 = errors;
if(typeof key18 === "string"){
if([...key18].length < 1){
fault("/targets/" + i1+"/tags", "minLength", {limit: 1}, key18);
}
}
var valid40 = _errs127 === errors;
if(!valid40){
fault("/targets/" + i1+"/tags", "propertyNames", {propertyName: key18});
}
}
for(const key19 in data49){
if(typeof data49[key19] !== "string"){
fault("/targets/" + i1+"/tags/" + key19.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i1+"/tags", "type", {type: "object"});
}
}
if(data15.exclude_tags !== undefined){
let data51 = data15.exclude_tags;
if(data51 && typeof data51 == "object" && !Array.isArray(data51)){
if(Object.keys(data51).length < 1){
fault("/targets/" + i1+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key20 in data51){
const _errs133 = errors;
if(typeof key20 === "string"){
if([...key20].length < 1){
fault("/targets/" + i1+"/exclude_tags", "minLength", {limit: 1}, key20);
}
}
var valid42 = _errs133 === errors;
if(!valid42){
fault("/targets/" + i1+"/exclude_tags", "propertyNames", {propertyName: key20});
}
}
for(const key21 in data51){
if(typeof data51[key21] !== "string"){
fault("/targets/" + i1+"/exclude_tags/" + key21.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i1+"/exclude_tags", "type", {type: "object"});
}
}
if(data15.description !== undefined){
let data53 = data15.description;
if(typeof data53 === "string"){
if(data53.length > 120 && [...data53].length > 120){
fault("/targets/" + i1+"/description", "maxLength", {limit: 120});
}
if(!new RegExp("^(?![\\s\\S]*managed-by:)[^!<>'=&\"]*$", "u").test(data53)){
fault("/targets/" + i1+"/description", "pattern", {expected: "a text without managed-by: and without any of !<>'=&\""});
}
}
else {
fault("/targets/" + i1+"/description", "type", {type: "string"});
}
}
if(data15["cluster_ids"] === undefined && data15["tags"] === undefined){
fault("/targets/" + i1, "x-required-any-of", {expected: "cluster_ids or tags"});
}
}
else {
fault("/targets/" + i1, "type", {type: "object"});
}
}
else {
fault("/targets/" + i1, "discriminator", {error: "mapping", tag: "kind", tagValue: tag0});
}
}
else {
fault("/targets/" + i1, "discriminator", {error: "tag", tag: "kind", tagValue: tag0});
}
}
else {
fault("/targets/" + i1, "type", {type: "object"});
}
}
}
else {
fault("/targets", "type", {type: "array"});
}
}
}
else {
fault("", "type", {type: "object"});
}
validate10.errors = vErrors;
return errors === 0;
}

