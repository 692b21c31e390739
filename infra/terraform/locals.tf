data "huaweicloud_account" "this" {}

locals {
  project = coalesce(var.project, var.region)
  dist    = coalesce(var.dist, "${path.module}/../../dist")
  # Begins the name of every resource in this module.
  prefix = "snapshots"

  # The IAM actions that each cloud call requires. infra/README.md, "Rights", names the sources and lists what is unconfirmed. The
  # call names are the operation names of the embedded cloud. A test compares this table with the requests that the functions send.
  actions = {
    "evs.listVolumes"            = ["evs:volumes:list"]
    "evs.showVolume"             = ["evs:volumes:get"]
    "evs.createSnapshot"         = ["evs:snapshots:create"]
    "evs.listSnapshots"          = ["evs:snapshots:list"]
    "evs.deleteSnapshot"         = ["evs:snapshots:delete"]
    "evs.createStandardSnapshot" = ["evs:snapshots:create"]
    "evs.listStandardSnapshots"  = ["evs:snapshots:list"]
    "evs.deleteStandardSnapshot" = ["evs:snapshots:delete"]
    "evs.createSnapshotGroup"    = ["evs:snapshotGroups:create"]
    "evs.listSnapshotGroups"     = ["evs:snapshotGroups:list"]
    "evs.deleteSnapshotGroup"    = ["evs:snapshotGroups:delete"]
    "ecs.listServers"            = ["ecs:cloudServers:list"]
    "dws.listClusters"           = ["dws:openAPICluster:list"]
    "dws.createSnapshot"         = ["dws:openAPISnapshot:create"]
    "dws.listSnapshots"          = ["dws:openAPISnapshot:list"]
    "dws.deleteSnapshot"         = ["dws:openAPISnapshot:delete"]
    "functiongraph.invokeAsync"  = ["functiongraph:function:invokeAsync"]
    # Writing logs to LTS requires no action.
    "lts.reportLogs" = []
  }

  # Describes every function: its trigger, timeout in seconds, memory in MB and cloud calls. `npm run generate` writes this file
  # from functions/<name>/function.ts.
  definitions = jsondecode(file("${path.module}/functions.json"))

  # The call that makes room for a new snapshot. Only legacy snapshots need it, because they have a low limit per disk.
  make_room = ["evs.deleteSnapshot"]

  # The calls that a function does not make with the given variables. Its agency gets no permission for these calls.
  unused_calls = {
    "pre-deploy"          = try(var.gateway.make_room, false) ? [] : local.make_room
    "scheduled-snapshots" = contains([for policy in values(var.policies) : try(policy.make_room, false)], true) ? [] : local.make_room
    "disk-attached" = concat(
      var.disk_attached_retention == null || var.disk_attached_kind != "snapshot" ? local.make_room : [],
      var.disk_attached_kind == "snapshot" ? ["evs.createStandardSnapshot", "evs.listStandardSnapshots"] : ["evs.createSnapshot", "evs.listSnapshots"],
    )
  }

  functions = {
    for name, one in local.definitions : name => merge(one, {
      calls = [for call in one.calls : call if !contains(lookup(local.unused_calls, name, []), call)]
    })
  }

  # Always deploy verify-snapshots. Deploy scheduled-snapshots and prune-snapshots if there is a policy, and other functions if
  # var.functions contains them.
  wanted = setunion(var.functions, ["verify-snapshots"], length(keys(var.policies)) > 0 ? ["scheduled-snapshots", "prune-snapshots"] : [])

  deployed        = { for name, one in local.functions : name => one if contains(local.wanted, name) }
  http_functions  = { for name, one in local.deployed : name => one if one.trigger == "http" }
  event_functions = { for name, one in local.deployed : name => one if one.trigger != "http" }

  # How callers authenticate at the gateway: APP or IAM. Null if no HTTP function is deployed.
  authentication = length(keys(local.http_functions)) > 0 ? try(var.gateway.authentication, null) : null

  # The environment variables of every function. FunctionGraph allows at most 20 variables. These are 15.
  variables = merge({
    REGION                 = var.region
    PROJECT_ID             = data.huaweicloud_account.this.current_project_id
    EVS_ENDPOINT           = lookup(var.endpoints, "evs", "https://evs.${var.region}.${var.cloud}")
    DWS_ENDPOINT           = lookup(var.endpoints, "dws", "https://dws.${var.region}.${var.cloud}")
    ECS_ENDPOINT           = lookup(var.endpoints, "ecs", "https://ecs.${var.region}.${var.cloud}")
    FUNCTIONGRAPH_ENDPOINT = lookup(var.endpoints, "functiongraph", "https://functiongraph.${var.region}.${var.cloud}")
    LTS_ENDPOINT           = var.lts_endpoint
    LTS_LOG_GROUP_ID       = huaweicloud_lts_group.this.id
    LTS_LOG_STREAM_ID      = huaweicloud_lts_stream.results.id
    EVS_LIMITS             = var.evs_limits
    HTTP_TIMEOUT_MS        = "10000"
    MAX_CONCURRENCY        = "8"
    SHARD_SIZE             = "500"
    DISK_ATTACHED_KIND     = var.disk_attached_kind
    }, {
    for retention in [var.disk_attached_retention] : "DISK_ATTACHED_RETENTION" => jsonencode(retention) if retention != null
  })
}
