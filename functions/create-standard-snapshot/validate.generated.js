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
if(data.snapshot === undefined){
fault("", "required", {missingProperty: "snapshot"});
}
for(const key0 in data){
if(!(key0 === "snapshot")){
fault("", "additionalProperties", {additionalProperty: key0});
}
}
if(data.snapshot !== undefined){
let data0 = data.snapshot;
if(data0 && typeof data0 == "object" && !Array.isArray(data0)){
if(data0.volume_id === undefined){
fault("/snapshot", "required", {missingProperty: "volume_id"});
}
for(const key1 in data0){
if(!(((((((key1 === "volume_id") || (key1 === "name")) || (key1 === "description")) || (key1 === "tags")) || (key1 === "enterprise_project_id")) || (key1 === "instant_access")) || (key1 === "incremental"))){
fault("/snapshot", "additionalProperties", {additionalProperty: key1});
}
}
if(data0.volume_id !== undefined){
let data1 = data0.volume_id;
if(typeof data1 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data1)){
fault("/snapshot/volume_id", "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/snapshot/volume_id", "type", {type: "string"});
}
}
if(data0.name !== undefined){
let data2 = data0.name;
if(typeof data2 === "string"){
if(data2.length > 64 && [...data2].length > 64){
fault("/snapshot/name", "maxLength", {limit: 64});
}
if(!new RegExp("^(?!autobk_snapshot_)", "u").test(data2)){
fault("/snapshot/name", "pattern", {expected: "a name that does not begin with autobk_snapshot_, which backups use"});
}
}
else {
fault("/snapshot/name", "type", {type: "string"});
}
}
if(data0.description !== undefined){
let data3 = data0.description;
if(typeof data3 === "string"){
if(data3.length > 85 && [...data3].length > 85){
fault("/snapshot/description", "maxLength", {limit: 85});
}
}
else {
fault("/snapshot/description", "type", {type: "string"});
}
}
if(data0.tags !== undefined){
let data4 = data0.tags;
if(data4 && typeof data4 == "object" && !Array.isArray(data4)){
for(const key2 in data4){
const _errs13 = errors;
if(typeof key2 === "string"){
if(key2.length > 36 && [...key2].length > 36){
fault("/snapshot/tags", "maxLength", {limit: 36}, key2);
}
if([...key2].length < 1){
fault("/snapshot/tags", "minLength", {limit: 1}, key2);
}
if(!new RegExp("^(?!(managed-by|policy|key|content)$)", "u").test(key2)){
fault("/snapshot/tags", "pattern", {expected: "another key than managed-by, policy, key, content, which mark the snapshot as made by snapshot-functions"}, key2);
}
}
var valid2 = _errs13 === errors;
if(!valid2){
fault("/snapshot/tags", "propertyNames", {propertyName: key2});
}
}
for(const key3 in data4){
let data5 = data4[key3];
if(typeof data5 === "string"){
if(data5.length > 43 && [...data5].length > 43){
fault("/snapshot/tags/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), "maxLength", {limit: 43});
}
}
else {
fault("/snapshot/tags/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/snapshot/tags", "type", {type: "object"});
}
}
if(data0.enterprise_project_id !== undefined){
let data6 = data0.enterprise_project_id;
if(typeof data6 === "string"){
if(!new RegExp("^(0|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$", "u").test(data6)){
fault("/snapshot/enterprise_project_id", "pattern", {expected: "an id such as 94f1ea84-1428-49b6-9920-8a9b8a29e4ca, or 0"});
}
}
else {
fault("/snapshot/enterprise_project_id", "type", {type: "string"});
}
}
if(data0.instant_access !== undefined){
if(typeof data0.instant_access !== "boolean"){
fault("/snapshot/instant_access", "type", {type: "boolean"});
}
}
if(data0.incremental !== undefined){
if(typeof data0.incremental !== "boolean"){
fault("/snapshot/incremental", "type", {type: "boolean"});
}
}
}
else {
fault("/snapshot", "type", {type: "object"});
}
}
}
else {
fault("", "type", {type: "object"});
}
validate10.errors = vErrors;
return errors === 0;
}

