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
if(data0.name === undefined){
fault("/snapshot", "required", {missingProperty: "name"});
}
if(data0.cluster_id === undefined){
fault("/snapshot", "required", {missingProperty: "cluster_id"});
}
for(const key1 in data0){
if(!(((key1 === "name") || (key1 === "cluster_id")) || (key1 === "description"))){
fault("/snapshot", "additionalProperties", {additionalProperty: key1});
}
}
if(data0.name !== undefined){
let data1 = data0.name;
if(typeof data1 === "string"){
if(!new RegExp("^[A-Za-z][A-Za-z0-9_-]{3,63}$", "u").test(data1)){
fault("/snapshot/name", "pattern", {expected: "a letter followed by 3 to 63 letters, digits, hyphens or underscores"});
}
}
else {
fault("/snapshot/name", "type", {type: "string"});
}
}
if(data0.cluster_id !== undefined){
let data2 = data0.cluster_id;
if(typeof data2 === "string"){
if(!new RegExp("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "u").test(data2)){
fault("/snapshot/cluster_id", "pattern", {expected: "an id such as 5aa119a8-d25b-45a7-8d1b-88e127885635"});
}
}
else {
fault("/snapshot/cluster_id", "type", {type: "string"});
}
}
if(data0.description !== undefined){
let data3 = data0.description;
if(typeof data3 === "string"){
if(!new RegExp("^[^!<>'=&\"]*$", "u").test(data3)){
fault("/snapshot/description", "pattern", {expected: "a text without any of !<>'=&\""});
}
}
if(typeof data3 === "string"){
if(!new RegExp("^(?![\\s\\S]*managed-by:snapshot-functions)", "u").test(data3)){
fault("/snapshot/description", "pattern", {expected: "a text without managed-by:snapshot-functions, which marks a snapshot as made by us"});
}
}
if(typeof data3 === "string"){
if(data3.length > 256 && [...data3].length > 256){
fault("/snapshot/description", "maxLength", {limit: 256});
}
}
else {
fault("/snapshot/description", "type", {type: "string"});
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

