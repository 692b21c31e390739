// Made from schema.ts by `npm run generate`. Do not edit.
export const lookback = validate10;

function validate10(data){
let vErrors = null;
let errors = 0;
const fault = (path, keyword, params, name) => {
(vErrors ??= []).push({ path, keyword, params, name });
errors++;
};
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!((key0 === "lookback_minutes") || (key0 === "stuck_after_minutes"))){
fault("", "additionalProperties", {additionalProperty: key0});
}
}
if(data.lookback_minutes !== undefined){
let data0 = data.lookback_minutes;
if(!(((typeof data0 == "number") && (!(data0 % 1) && !isNaN(data0))) && (isFinite(data0)))){
fault("/lookback_minutes", "type", {type: "integer"});
}
if((typeof data0 == "number") && (isFinite(data0))){
if(data0 < 1 || isNaN(data0)){
fault("/lookback_minutes", "minimum", {comparison: ">=", limit: 1});
}
}
}
if(data.stuck_after_minutes !== undefined){
let data1 = data.stuck_after_minutes;
if(!(((typeof data1 == "number") && (!(data1 % 1) && !isNaN(data1))) && (isFinite(data1)))){
fault("/stuck_after_minutes", "type", {type: "integer"});
}
if((typeof data1 == "number") && (isFinite(data1))){
if(data1 < 1 || isNaN(data1)){
fault("/stuck_after_minutes", "minimum", {comparison: ">=", limit: 1});
}
}
}
}
else {
fault("", "type", {type: "object"});
}
validate10.errors = vErrors;
return errors === 0;
}

