import { runScheduled } from "./large-runs.ts";
const r = await runScheduled(Number(process.argv[2]), Number(process.argv[3]));
console.log(JSON.stringify(r), (r.seconds / r.minSeconds).toFixed(3));
