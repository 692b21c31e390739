data "huaweicloud_account" "this" {}

locals {
  project = coalesce(var.project, var.region)
  dist    = coalesce(var.dist, "${path.module}/../../dist")
  # The names of all resources of this module begin with the prefix.
  prefix = "snapshots"

  # Call -> the actions that it requires. infra/README.md, "Rights", names the sources and what is unconfirmed. The calls have the
  # names of the embedded cloud; a test compares this table with the requests that the functions send.
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
    # Reporting logs requires no action.
    "lts.reportLogs" = []
  }

  select_any = ["evs.listVolumes", "ecs.listServers", "dws.listClusters"]
  list_any   = ["evs.listSnapshots", "evs.listStandardSnapshots", "evs.listSnapshotGroups", "dws.listSnapshots"]
  create_any = ["evs.createSnapshot", "evs.createStandardSnapshot", "evs.createSnapshotGroup", "dws.createSnapshot"]
  delete_any = ["evs.deleteSnapshot", "evs.deleteStandardSnapshot", "evs.deleteSnapshotGroup", "dws.deleteSnapshot"]
  attached_calls = {
    "snapshot"          = concat(["evs.createSnapshot", "evs.listSnapshots"], var.disk_attached_retention == null ? [] : local.make_room)
    "standard-snapshot" = ["evs.createStandardSnapshot", "evs.listStandardSnapshots"]
  }
  # Only legacy snapshots have a limit per disk that requires deletions. The other functions may not delete.
  make_room = ["evs.deleteSnapshot"]

  # Every function of this project with its trigger, its timeout in seconds and its calls. HTTP functions respond within 55 s,
  # because the gateway times out after 60 s.
  functions = {
    "create-snapshot" = {
      trigger = "http"
      timeout = 60
      calls   = ["evs.createSnapshot", "evs.listSnapshots"]
    }
    "create-standard-snapshot" = {
      trigger = "http"
      timeout = 60
      calls   = ["evs.createStandardSnapshot", "evs.listStandardSnapshots"]
    }
    "create-snapshot-group" = {
      trigger = "http"
      timeout = 60
      calls   = ["evs.createSnapshotGroup", "evs.listSnapshotGroups", "evs.listStandardSnapshots"]
    }
    "create-cluster-snapshot" = {
      trigger = "http"
      timeout = 60
      calls   = ["dws.createSnapshot", "dws.listSnapshots"]
    }
    "pre-deploy" = {
      trigger = "http"
      timeout = 60
      calls   = concat(local.select_any, local.list_any, local.create_any, try(var.gateway.make_room, false) ? local.make_room : [])
    }
    "scheduled-snapshots" = {
      trigger = "timer"
      timeout = 900
      calls = concat(
        local.select_any, local.list_any, local.create_any, ["functiongraph.invokeAsync"],
        contains([for policy in values(var.policies) : try(policy.make_room, false)], true) ? local.make_room : [],
      )
    }
    "prune-snapshots" = {
      trigger = "timer"
      timeout = 900
      calls   = concat(local.list_any, local.delete_any)
    }
    "verify-snapshots" = {
      trigger = "timer"
      timeout = 300
      calls   = local.list_any
    }
    "disk-attached" = {
      trigger = "cts"
      timeout = 300
      calls   = concat(["evs.listVolumes", "evs.showVolume"], local.attached_calls[var.disk_attached_kind])
    }
  }

  # verify-snapshots is always deployed, the functions of policies if there are policies, the others by var.functions.
  wanted = setunion(var.functions, ["verify-snapshots"], length(keys(var.policies)) > 0 ? ["scheduled-snapshots", "prune-snapshots"] : [])

  deployed        = { for name, one in local.functions : name => one if contains(local.wanted, name) }
  http_functions  = { for name, one in local.deployed : name => one if one.trigger == "http" }
  event_functions = { for name, one in local.deployed : name => one if one.trigger != "http" }

  # How callers of the HTTP functions authenticate; null if there are none.
  authentication = length(keys(local.http_functions)) > 0 ? try(var.gateway.authentication, null) : null

  # The configuration, which is the same for all functions. FunctionGraph allows 20 variables; these are 15.
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
