// Made from schema.ts by `npm run generate`. Do not edit.
export const deployment = validate10;

function validate10(data){
let vErrors = null;
let errors = 0;
const fault = (path, keyword, params, name) => {
(vErrors ??= []).push({ path, keyword, params, name });
errors++;
};
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.deployment_id === undefined){
fault("", "required", {missingProperty: "deployment_id"});
}
if(data.targets === undefined){
fault("", "required", {missingProperty: "targets"});
}
for(const key0 in data){
if(!((((((key0 === "deployment_id") || (key0 === "targets")) || (key0 === "wait_seconds")) || (key0 === "retry_failed")) || (key0 === "max_age_minutes")) || (key0 === "policy"))){
fault("", "additionalProperties", {additionalProperty: key0});
}
}
if(data.deployment_id !== undefined){
let data0 = data.deployment_id;
if(typeof data0 === "string"){
if(data0.length > 128 && [...data0].length > 128){
fault("/deployment_id", "maxLength", {limit: 128});
}
if([...data0].length < 1){
fault("/deployment_id", "minLength", {limit: 1});
}
if(!new RegExp("^[^\\u0000-\\u001f\\u007f]*$", "u").test(data0)){
fault("/deployment_id", "pattern", {expected: "a text without control characters"});
}
}
else {
fault("/deployment_id", "type", {type: "string"});
}
}
if(data.targets !== undefined){
let data1 = data.targets;
if(Array.isArray(data1)){
if(data1.length < 1){
fault("/targets", "minItems", {limit: 1});
}
const len0 = data1.length;
for(let i0=0; i0<len0; i0++){
let data2 = data1[i0];
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
if(data2.kind === undefined){
fault("/targets/" + i0, "required", {missingProperty: "kind"});
}
if(data2.kind !== undefined){
let data3 = data2.kind;
if(data3 !== "snapshot" && data3 !== "standard-snapshot" && data3 !== "snapshot-group" && data3 !== "cluster-snapshot"){
fault("/targets/" + i0+"/kind", "enum", {expected: "\"snapshot\" or \"standard-snapshot\" or \"snapshot-group\" or \"cluster-snapshot\""});
}
}
const tag0 = data2.kind;
if(typeof tag0 == "string"){
if(tag0 === "snapshot"){
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
if(data2.kind === undefined){
fault("/targets/" + i0, "required", {missingProperty: "kind"});
}
for(const key1 in data2){
if(!((((((key1 === "kind") || (key1 === "volume_ids")) || (key1 === "tags")) || (key1 === "exclude_tags")) || (key1 === "description")) || (key1 === "force"))){
fault("/targets/" + i0, "additionalProperties", {additionalProperty: key1});
}
}
if(data2.kind !== undefined){
let data4 = data2.kind;
if(typeof data4 !== "string"){
fault("/targets/" + i0+"/kind", "type", {type: "string"});
}
if("snapshot" !== data4){
fault("/targets/" + i0+"/kind", "const", {allowedValue: "snapshot"});
}
}
if(data2.volume_ids !== undefined){
let data5 = data2.volume_ids;
if(Array.isArray(data5)){
if(data5.length < 1){
fault("/targets/" + i0+"/volume_ids", "minItems", {limit: 1});
}
const len1 = data5.length;
for(let i1=0; i1<len1; i1++){
let data6 = data5[i1];
if(typeof data6 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data6)){
fault("/targets/" + i0+"/volume_ids/" + i1, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i0+"/volume_ids/" + i1, "type", {type: "string"});
}
}
let i2 = data5.length;
let j0;
if(i2 > 1){
const indices0 = {};
for(;i2--;){
let item0 = data5[i2];
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
if(data2.tags !== undefined){
let data7 = data2.tags;
if(data7 && typeof data7 == "object" && !Array.isArray(data7)){
if(Object.keys(data7).length < 1){
fault("/targets/" + i0+"/tags", "minProperties", {limit: 1});
}
for(const key2 in data7){
const _errs21 = errors;
if(typeof key2 === "string"){
if([...key2].length < 1){
fault("/targets/" + i0+"/tags", "minLength", {limit: 1}, key2);
}
}
var valid10 = _errs21 === errors;
if(!valid10){
fault("/targets/" + i0+"/tags", "propertyNames", {propertyName: key2});
}
}
for(const key3 in data7){
if(typeof data7[key3] !== "string"){
fault("/targets/" + i0+"/tags/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/tags", "type", {type: "object"});
}
}
if(data2.exclude_tags !== undefined){
let data9 = data2.exclude_tags;
if(data9 && typeof data9 == "object" && !Array.isArray(data9)){
if(Object.keys(data9).length < 1){
fault("/targets/" + i0+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key4 in data9){
const _errs27 = errors;
if(typeof key4 === "string"){
if([...key4].length < 1){
fault("/targets/" + i0+"/exclude_tags", "minLength", {limit: 1}, key4);
}
}
var valid12 = _errs27 === errors;
if(!valid12){
fault("/targets/" + i0+"/exclude_tags", "propertyNames", {propertyName: key4});
}
}
for(const key5 in data9){
if(typeof data9[key5] !== "string"){
fault("/targets/" + i0+"/exclude_tags/" + key5.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/exclude_tags", "type", {type: "object"});
}
}
if(data2.description !== undefined){
let data11 = data2.description;
if(typeof data11 === "string"){
if(data11.length > 85 && [...data11].length > 85){
fault("/targets/" + i0+"/description", "maxLength", {limit: 85});
}
}
else {
fault("/targets/" + i0+"/description", "type", {type: "string"});
}
}
if(data2.force !== undefined){
if(typeof data2.force !== "boolean"){
fault("/targets/" + i0+"/force", "type", {type: "boolean"});
}
}
if(data2["volume_ids"] === undefined && data2["tags"] === undefined){
fault("/targets/" + i0, "x-required-any-of", {expected: "volume_ids or tags"});
}
}
else {
fault("/targets/" + i0, "type", {type: "object"});
}
}
else if(tag0 === "standard-snapshot"){
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
if(data2.kind === undefined){
fault("/targets/" + i0, "required", {missingProperty: "kind"});
}
for(const key6 in data2){
if(!(((((((key6 === "kind") || (key6 === "volume_ids")) || (key6 === "tags")) || (key6 === "exclude_tags")) || (key6 === "description")) || (key6 === "incremental")) || (key6 === "instant_access"))){
fault("/targets/" + i0, "additionalProperties", {additionalProperty: key6});
}
}
if(data2.kind !== undefined){
let data13 = data2.kind;
if(typeof data13 !== "string"){
fault("/targets/" + i0+"/kind", "type", {type: "string"});
}
if("standard-snapshot" !== data13){
fault("/targets/" + i0+"/kind", "const", {allowedValue: "standard-snapshot"});
}
}
if(data2.volume_ids !== undefined){
let data14 = data2.volume_ids;
if(Array.isArray(data14)){
if(data14.length < 1){
fault("/targets/" + i0+"/volume_ids", "minItems", {limit: 1});
}
const len2 = data14.length;
for(let i3=0; i3<len2; i3++){
let data15 = data14[i3];
if(typeof data15 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data15)){
fault("/targets/" + i0+"/volume_ids/" + i3, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i0+"/volume_ids/" + i3, "type", {type: "string"});
}
}
let i4 = data14.length;
let j1;
if(i4 > 1){
const indices1 = {};
for(;i4--;){
let item1 = data14[i4];
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
if(data2.tags !== undefined){
let data16 = data2.tags;
if(data16 && typeof data16 == "object" && !Array.isArray(data16)){
if(Object.keys(data16).length < 1){
fault("/targets/" + i0+"/tags", "minProperties", {limit: 1});
}
for(const key7 in data16){
const _errs46 = errors;
if(typeof key7 === "string"){
if([...key7].length < 1){
fault("/targets/" + i0+"/tags", "minLength", {limit: 1}, key7);
}
}
var valid19 = _errs46 === errors;
if(!valid19){
fault("/targets/" + i0+"/tags", "propertyNames", {propertyName: key7});
}
}
for(const key8 in data16){
if(typeof data16[key8] !== "string"){
fault("/targets/" + i0+"/tags/" + key8.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/tags", "type", {type: "object"});
}
}
if(data2.exclude_tags !== undefined){
let data18 = data2.exclude_tags;
if(data18 && typeof data18 == "object" && !Array.isArray(data18)){
if(Object.keys(data18).length < 1){
fault("/targets/" + i0+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key9 in data18){
const _errs52 = errors;
if(typeof key9 === "string"){
if([...key9].length < 1){
fault("/targets/" + i0+"/exclude_tags", "minLength", {limit: 1}, key9);
}
}
var valid21 = _errs52 === errors;
if(!valid21){
fault("/targets/" + i0+"/exclude_tags", "propertyNames", {propertyName: key9});
}
}
for(const key10 in data18){
if(typeof data18[key10] !== "string"){
fault("/targets/" + i0+"/exclude_tags/" + key10.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/exclude_tags", "type", {type: "object"});
}
}
if(data2.description !== undefined){
let data20 = data2.description;
if(typeof data20 === "string"){
if(data20.length > 85 && [...data20].length > 85){
fault("/targets/" + i0+"/description", "maxLength", {limit: 85});
}
}
else {
fault("/targets/" + i0+"/description", "type", {type: "string"});
}
}
if(data2.incremental !== undefined){
if(typeof data2.incremental !== "boolean"){
fault("/targets/" + i0+"/incremental", "type", {type: "boolean"});
}
}
if(data2.instant_access !== undefined){
if(typeof data2.instant_access !== "boolean"){
fault("/targets/" + i0+"/instant_access", "type", {type: "boolean"});
}
}
if(data2["volume_ids"] === undefined && data2["tags"] === undefined){
fault("/targets/" + i0, "x-required-any-of", {expected: "volume_ids or tags"});
}
}
else {
fault("/targets/" + i0, "type", {type: "object"});
}
}
else if(tag0 === "snapshot-group"){
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
if(data2.kind === undefined){
fault("/targets/" + i0, "required", {missingProperty: "kind"});
}
for(const key11 in data2){
if(!(((((((key11 === "kind") || (key11 === "server_ids")) || (key11 === "tags")) || (key11 === "exclude_tags")) || (key11 === "description")) || (key11 === "incremental")) || (key11 === "instant_access"))){
fault("/targets/" + i0, "additionalProperties", {additionalProperty: key11});
}
}
if(data2.kind !== undefined){
let data23 = data2.kind;
if(typeof data23 !== "string"){
fault("/targets/" + i0+"/kind", "type", {type: "string"});
}
if("snapshot-group" !== data23){
fault("/targets/" + i0+"/kind", "const", {allowedValue: "snapshot-group"});
}
}
if(data2.server_ids !== undefined){
let data24 = data2.server_ids;
if(Array.isArray(data24)){
if(data24.length < 1){
fault("/targets/" + i0+"/server_ids", "minItems", {limit: 1});
}
const len3 = data24.length;
for(let i5=0; i5<len3; i5++){
let data25 = data24[i5];
if(typeof data25 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data25)){
fault("/targets/" + i0+"/server_ids/" + i5, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i0+"/server_ids/" + i5, "type", {type: "string"});
}
}
let i6 = data24.length;
let j2;
if(i6 > 1){
const indices2 = {};
for(;i6--;){
let item2 = data24[i6];
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
if(data2.tags !== undefined){
let data26 = data2.tags;
if(data26 && typeof data26 == "object" && !Array.isArray(data26)){
if(Object.keys(data26).length < 1){
fault("/targets/" + i0+"/tags", "minProperties", {limit: 1});
}
for(const key12 in data26){
const _errs73 = errors;
if(typeof key12 === "string"){
if([...key12].length < 1){
fault("/targets/" + i0+"/tags", "minLength", {limit: 1}, key12);
}
}
var valid28 = _errs73 === errors;
if(!valid28){
fault("/targets/" + i0+"/tags", "propertyNames", {propertyName: key12});
}
}
for(const key13 in data26){
if(typeof data26[key13] !== "string"){
fault("/targets/" + i0+"/tags/" + key13.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/tags", "type", {type: "object"});
}
}
if(data2.exclude_tags !== undefined){
let data28 = data2.exclude_tags;
if(data28 && typeof data28 == "object" && !Array.isArray(data28)){
if(Object.keys(data28).length < 1){
fault("/targets/" + i0+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key14 in data28){
const _errs79 = errors;
if(typeof key14 === "string"){
if([...key14].length < 1){
fault("/targets/" + i0+"/exclude_tags", "minLength", {limit: 1}, key14);
}
}
var valid30 = _errs79 === errors;
if(!valid30){
fault("/targets/" + i0+"/exclude_tags", "propertyNames", {propertyName: key14});
}
}
for(const key15 in data28){
if(typeof data28[key15] !== "string"){
fault("/targets/" + i0+"/exclude_tags/" + key15.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/exclude_tags", "type", {type: "object"});
}
}
if(data2.description !== undefined){
let data30 = data2.description;
if(typeof data30 === "string"){
if(Buffer.byteLength(data30) > 255){
fault("/targets/" + i0+"/description", "x-max-bytes", {limit: 255});
}
}
else {
fault("/targets/" + i0+"/description", "type", {type: "string"});
}
}
if(data2.incremental !== undefined){
if(typeof data2.incremental !== "boolean"){
fault("/targets/" + i0+"/incremental", "type", {type: "boolean"});
}
}
if(data2.instant_access !== undefined){
if(typeof data2.instant_access !== "boolean"){
fault("/targets/" + i0+"/instant_access", "type", {type: "boolean"});
}
}
if(data2["server_ids"] === undefined && data2["tags"] === undefined){
fault("/targets/" + i0, "x-required-any-of", {expected: "server_ids or tags"});
}
}
else {
fault("/targets/" + i0, "type", {type: "object"});
}
}
else if(tag0 === "cluster-snapshot"){
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
if(data2.kind === undefined){
fault("/targets/" + i0, "required", {missingProperty: "kind"});
}
for(const key16 in data2){
if(!(((((key16 === "kind") || (key16 === "cluster_ids")) || (key16 === "tags")) || (key16 === "exclude_tags")) || (key16 === "description"))){
fault("/targets/" + i0, "additionalProperties", {additionalProperty: key16});
}
}
if(data2.kind !== undefined){
let data33 = data2.kind;
if(typeof data33 !== "string"){
fault("/targets/" + i0+"/kind", "type", {type: "string"});
}
if("cluster-snapshot" !== data33){
fault("/targets/" + i0+"/kind", "const", {allowedValue: "cluster-snapshot"});
}
}
if(data2.cluster_ids !== undefined){
let data34 = data2.cluster_ids;
if(Array.isArray(data34)){
if(data34.length < 1){
fault("/targets/" + i0+"/cluster_ids", "minItems", {limit: 1});
}
const len4 = data34.length;
for(let i7=0; i7<len4; i7++){
let data35 = data34[i7];
if(typeof data35 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data35)){
fault("/targets/" + i0+"/cluster_ids/" + i7, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/targets/" + i0+"/cluster_ids/" + i7, "type", {type: "string"});
}
}
let i8 = data34.length;
let j3;
if(i8 > 1){
const indices3 = {};
for(;i8--;){
let item3 = data34[i8];
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
if(data2.tags !== undefined){
let data36 = data2.tags;
if(data36 && typeof data36 == "object" && !Array.isArray(data36)){
if(Object.keys(data36).length < 1){
fault("/targets/" + i0+"/tags", "minProperties", {limit: 1});
}
for(const key17 in data36){
const _errs100 = errors;
if(typeof key17 === "string"){
if([...key17].length < 1){
fault("/targets/" + i0+"/tags", "minLength", {limit: 1}, key17);
}
}
var valid37 = _errs100 === errors;
if(!valid37){
fault("/targets/" + i0+"/tags", "propertyNames", {propertyName: key17});
}
}
for(const key18 in data36){
if(typeof data36[key18] !== "string"){
fault("/targets/" + i0+"/tags/" + key18.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/tags", "type", {type: "object"});
}
}
if(data2.exclude_tags !== undefined){
let data38 = data2.exclude_tags;
if(data38 && typeof data38 == "object" && !Array.isArray(data38)){
if(Object.keys(data38).length < 1){
fault("/targets/" + i0+"/exclude_tags", "minProperties", {limit: 1});
}
for(const key19 in data38){
const _errs106 = errors;
if(typeof key19 === "string"){
if([...key19].length < 1){
fault("/targets/" + i0+"/exclude_tags", "minLength", {limit: 1}, key19);
}
}
var valid39 = _errs106 === errors;
if(!valid39){
fault("/targets/" + i0+"/exclude_tags", "propertyNames", {propertyName: key19});
}
}
for(const key20 in data38){
if(typeof data38[key20] !== "string"){
fault("/targets/" + i0+"/exclude_tags/" + key20.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/targets/" + i0+"/exclude_tags", "type", {type: "object"});
}
}
if(data2.description !== undefined){
let data40 = data2.description;
if(typeof data40 === "string"){
if(data40.length > 120 && [...data40].length > 120){
fault("/targets/" + i0+"/description", "maxLength", {limit: 120});
}
if(!new RegExp("^(?![\\s\\S]*managed-by:)[^!<>'=&\"]*$", "u").test(data40)){
fault("/targets/" + i0+"/description", "pattern", {expected: "a text without managed-by: and without any of !<>'=&\""});
}
}
else {
fault("/targets/" + i0+"/description", "type", {type: "string"});
}
}
if(data2["cluster_ids"] === undefined && data2["tags"] === undefined){
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
if(data.wait_seconds !== undefined){
let data41 = data.wait_seconds;
if(!(((typeof data41 == "number") && (!(data41 % 1) && !isNaN(data41))) && (isFinite(data41)))){
fault("/wait_seconds", "type", {type: "integer"});
}
if((typeof data41 == "number") && (isFinite(data41))){
if(data41 > 50 || isNaN(data41)){
fault("/wait_seconds", "maximum", {comparison: "<=", limit: 50});
}
if(data41 < 0 || isNaN(data41)){
fault("/wait_seconds", "minimum", {comparison: ">=", limit: 0});
}
}
}
if(data.retry_failed !== undefined){
if(typeof data.retry_failed !== "boolean"){
fault("/retry_failed", "type", {type: "boolean"});
}
}
if(data.max_age_minutes !== undefined){
let data43 = data.max_age_minutes;
if(!(((typeof data43 == "number") && (!(data43 % 1) && !isNaN(data43))) && (isFinite(data43)))){
fault("/max_age_minutes", "type", {type: "integer"});
}
if((typeof data43 == "number") && (isFinite(data43))){
if(data43 < 1 || isNaN(data43)){
fault("/max_age_minutes", "minimum", {comparison: ">=", limit: 1});
}
}
}
if(data.policy !== undefined){
let data44 = data.policy;
if(typeof data44 === "string"){
if(!new RegExp("^(?!autobk_snapshot_)[A-Za-z][A-Za-z0-9_-]{0,37}$", "u").test(data44)){
fault("/policy", "pattern", {expected: "a letter followed by up to 37 letters, digits, hyphens or underscores, not beginning with autobk_snapshot_"});
}
}
else {
fault("/policy", "type", {type: "string"});
}
}
}
else {
fault("", "type", {type: "object"});
}
validate10.errors = vErrors;
return errors === 0;
}

