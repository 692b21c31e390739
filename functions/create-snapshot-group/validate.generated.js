// Made from schema.ts by `npm run generate`. Do not edit.
export const current = validate10;

function validate10(data){
let vErrors = null;
let errors = 0;
const fault = (path, keyword, params, name) => {
(vErrors ??= []).push({ path, keyword, params, name });
errors++;
};
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.snapshot_group === undefined){
fault("", "required", {missingProperty: "snapshot_group"});
}
for(const key0 in data){
if(!(key0 === "snapshot_group")){
fault("", "additionalProperties", {additionalProperty: key0});
}
}
if(data.snapshot_group !== undefined){
let data0 = data.snapshot_group;
if(data0 && typeof data0 == "object" && !Array.isArray(data0)){
for(const key1 in data0){
if(!((((((((key1 === "server_id") || (key1 === "volume_ids")) || (key1 === "instant_access")) || (key1 === "name")) || (key1 === "description")) || (key1 === "tags")) || (key1 === "enterprise_project_id")) || (key1 === "incremental"))){
fault("/snapshot_group", "additionalProperties", {additionalProperty: key1});
}
}
if(data0.server_id !== undefined){
let data1 = data0.server_id;
if(typeof data1 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data1)){
fault("/snapshot_group/server_id", "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/snapshot_group/server_id", "type", {type: "string"});
}
}
if(data0.volume_ids !== undefined){
let data2 = data0.volume_ids;
if(Array.isArray(data2)){
if(data2.length < 1){
fault("/snapshot_group/volume_ids", "minItems", {limit: 1});
}
const len0 = data2.length;
for(let i0=0; i0<len0; i0++){
let data3 = data2[i0];
if(typeof data3 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data3)){
fault("/snapshot_group/volume_ids/" + i0, "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/snapshot_group/volume_ids/" + i0, "type", {type: "string"});
}
}
if(new Set(data2.map((id) => String(id).toLowerCase())).size < data2.length){
fault("/snapshot_group/volume_ids", "x-unique-ids", {});
}
}
else {
fault("/snapshot_group/volume_ids", "type", {type: "array"});
}
}
if(data0.instant_access !== undefined){
if(typeof data0.instant_access !== "boolean"){
fault("/snapshot_group/instant_access", "type", {type: "boolean"});
}
}
if(data0.name !== undefined){
let data5 = data0.name;
if(typeof data5 === "string"){
if(Buffer.byteLength(data5) > 255){
fault("/snapshot_group/name", "x-max-bytes", {limit: 255});
}
if(!new RegExp("^(?!autobk_snapshot_)", "u").test(data5)){
fault("/snapshot_group/name", "pattern", {expected: "a name that does not begin with autobk_snapshot_, which backups use"});
}
}
else {
fault("/snapshot_group/name", "type", {type: "string"});
}
}
if(data0.description !== undefined){
let data6 = data0.description;
if(typeof data6 === "string"){
if(Buffer.byteLength(data6) > 255){
fault("/snapshot_group/description", "x-max-bytes", {limit: 255});
}
}
else {
fault("/snapshot_group/description", "type", {type: "string"});
}
}
if(data0.tags !== undefined){
let data7 = data0.tags;
if(data7 && typeof data7 == "object" && !Array.isArray(data7)){
for(const key2 in data7){
const _errs19 = errors;
if(typeof key2 === "string"){
if(key2.length > 36 && [...key2].length > 36){
fault("/snapshot_group/tags", "maxLength", {limit: 36}, key2);
}
if([...key2].length < 1){
fault("/snapshot_group/tags", "minLength", {limit: 1}, key2);
}
if(!new RegExp("^(?!(managed-by|policy|key|content)$)", "u").test(key2)){
fault("/snapshot_group/tags", "pattern", {expected: "another key than managed-by, policy, key, content, which mark the snapshot as made by snapshot-functions"}, key2);
}
}
var valid4 = _errs19 === errors;
if(!valid4){
fault("/snapshot_group/tags", "propertyNames", {propertyName: key2});
}
}
for(const key3 in data7){
let data8 = data7[key3];
if(typeof data8 === "string"){
if(data8.length > 43 && [...data8].length > 43){
fault("/snapshot_group/tags/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), "maxLength", {limit: 43});
}
}
else {
fault("/snapshot_group/tags/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/snapshot_group/tags", "type", {type: "object"});
}
}
if(data0.enterprise_project_id !== undefined){
let data9 = data0.enterprise_project_id;
if(typeof data9 === "string"){
if(!new RegExp("^(0|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$", "u").test(data9)){
fault("/snapshot_group/enterprise_project_id", "pattern", {expected: "an id such as 94f1ea84-1428-49b6-9920-8a9b8a29e4ca, or 0"});
}
}
else {
fault("/snapshot_group/enterprise_project_id", "type", {type: "string"});
}
}
if(data0.incremental !== undefined){
if(typeof data0.incremental !== "boolean"){
fault("/snapshot_group/incremental", "type", {type: "boolean"});
}
}
if(data0["server_id"] === undefined && data0["volume_ids"] === undefined){
fault("/snapshot_group", "x-required-any-of", {expected: "server_id or volume_ids"});
}
}
else {
fault("/snapshot_group", "type", {type: "object"});
}
}
}
else {
fault("", "type", {type: "object"});
}
validate10.errors = vErrors;
return errors === 0;
}

