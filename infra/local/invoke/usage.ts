/** The help text of `npm run invoke`, which fits into a terminal of 80 columns and 24 lines. */
export const USAGE = `npm run invoke -- <function> <file.json> [options]

Runs one built function and reports what it did. The file contains a stored
event (see test/events), a policy, or a request body of pre-deploy. Without
--real, the function runs on an embedded cloud on this machine.

  --json             print only records and result, as JSON (npm run --silent)
  --wait             wait until the created snapshots ended, at most 30 minutes
  --real             call the cloud that the environment names; print endpoints
  --yes              allow the function to delete snapshots with --real
  --env-file <path>  read KEY=VALUE lines for variables that are not set

--real passes REGION, PROJECT_ID, <SERVICE>_ENDPOINT, HUAWEICLOUD_SDK_AK, _SK
and _SECURITY_TOKEN, and all other variables of the functions if they are set.

Placeholders in the file: {{now}}, {{now_ms}}, {{now_s}}; on the embedded cloud
also {{volume_id}} (disk web-1-data), {{volume_id_2}} (disk archive, detached),
{{server_id}} (server web-1) and {{cluster_id}} (cluster warehouse).

Exit code: 0 success; 1 the function or a snapshot failed, or HTTP 400 or more;
2 wrong arguments, or a deletion without --yes.`;
