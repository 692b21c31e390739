// Made from schema.ts by `npm run generate`. Do not edit.
export const classic = validate10;

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
if(!(((((key1 === "volume_id") || (key1 === "force")) || (key1 === "metadata")) || (key1 === "description")) || (key1 === "name"))){
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
if(data0.force !== undefined){
if(typeof data0.force !== "boolean"){
fault("/snapshot/force", "type", {type: "boolean"});
}
}
if(data0.metadata !== undefined){
let data3 = data0.metadata;
if(data3 && typeof data3 == "object" && !Array.isArray(data3)){
for(const key2 in data3){
const _errs11 = errors;
if(typeof key2 === "string"){
if(!new RegExp("^(?!(managed-by|policy|key|content)$)", "u").test(key2)){
fault("/snapshot/metadata", "pattern", {expected: "another key than managed-by, policy, key, content, which mark the snapshot as made by snapshot-functions"}, key2);
}
}
var valid2 = _errs11 === errors;
if(!valid2){
fault("/snapshot/metadata", "propertyNames", {propertyName: key2});
}
}
for(const key3 in data3){
if(typeof data3[key3] !== "string"){
fault("/snapshot/metadata/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/snapshot/metadata", "type", {type: "object"});
}
}
if(data0.description !== undefined){
let data5 = data0.description;
if((typeof data5 !== "string") && (data5 !== null)){
fault("/snapshot/description", "type", {type: ["string","null"]});
}
if(typeof data5 === "string"){
if(Buffer.byteLength(data5) > 255){
fault("/snapshot/description", "x-max-bytes", {limit: 255});
}
}
}
if(data0.name !== undefined){
let data6 = data0.name;
if(typeof data6 === "string"){
if(Buffer.byteLength(data6) > 255){
fault("/snapshot/name", "x-max-bytes", {limit: 255});
}
if(!new RegExp("^(?!autobk_snapshot_)", "u").test(data6)){
fault("/snapshot/name", "pattern", {expected: "a name that does not begin with autobk_snapshot_, which backups use"});
}
}
else {
fault("/snapshot/name", "type", {type: "string"});
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

export const current = validate11;

function validate11(data){
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
if(!(((((key1 === "volume_id") || (key1 === "force")) || (key1 === "metadata")) || (key1 === "description")) || (key1 === "name"))){
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
if(data0.force !== undefined){
if(typeof data0.force !== "boolean"){
fault("/snapshot/force", "type", {type: "boolean"});
}
}
if(data0.metadata !== undefined){
let data3 = data0.metadata;
if(data3 && typeof data3 == "object" && !Array.isArray(data3)){
for(const key2 in data3){
const _errs11 = errors;
if(typeof key2 === "string"){
if(!new RegExp("^(?!(managed-by|policy|key|content)$)", "u").test(key2)){
fault("/snapshot/metadata", "pattern", {expected: "another key than managed-by, policy, key, content, which mark the snapshot as made by snapshot-functions"}, key2);
}
}
var valid2 = _errs11 === errors;
if(!valid2){
fault("/snapshot/metadata", "propertyNames", {propertyName: key2});
}
}
for(const key3 in data3){
if(typeof data3[key3] !== "string"){
fault("/snapshot/metadata/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), "type", {type: "string"});
}
}
}
else {
fault("/snapshot/metadata", "type", {type: "object"});
}
}
if(data0.description !== undefined){
let data5 = data0.description;
if(typeof data5 === "string"){
if(data5.length > 85 && [...data5].length > 85){
fault("/snapshot/description", "maxLength", {limit: 85});
}
}
else {
fault("/snapshot/description", "type", {type: "string"});
}
}
if(data0.name !== undefined){
let data6 = data0.name;
if(typeof data6 === "string"){
if(data6.length > 64 && [...data6].length > 64){
fault("/snapshot/name", "maxLength", {limit: 64});
}
if(!new RegExp("^(?!autobk_snapshot_)", "u").test(data6)){
fault("/snapshot/name", "pattern", {expected: "a name that does not begin with autobk_snapshot_, which backups use"});
}
}
else {
fault("/snapshot/name", "type", {type: "string"});
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
validate11.errors = vErrors;
return errors === 0;
}

