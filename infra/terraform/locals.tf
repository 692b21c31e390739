data "huaweicloud_account" "this" {
  lifecycle {
    # These checks compare variables with the generated files. A validation of a variable can do this from Terraform 1.9 only.
    precondition {
      condition     = length(setsubtract(var.functions, local.selectable)) == 0
      error_message = "functions: expected any of ${join(", ", local.selectable)}; got ${join(", ", var.functions)}."
    }

    precondition {
      condition     = alltrue([for target in local.targets : contains(keys(local.kinds), try(target.kind, ""))])
      error_message = "The kind of a target is ${join(", ", keys(local.kinds))}."
    }

    precondition {
      # The fields of all kinds. The function checks which of them a kind has.
      condition     = alltrue([for target in local.targets : length(setsubtract(keys(target), local.target_fields)) == 0])
      error_message = "A target has ${join(", ", local.target_fields)}, and no other fields."
    }

    precondition {
      condition     = length(setsubtract(keys(var.endpoints), local.services)) == 0
      error_message = "endpoints: expected any of ${join(", ", local.services)}; got ${join(", ", keys(var.endpoints))}."
    }
  }
}

locals {
  project = coalesce(var.project, var.region)
  dist    = coalesce(var.dist, "${path.module}/../../dist")
  # Begins the name of every resource in this module.
  prefix = "snapshots"

  # Call -> the actions that it requires. infra/README.md, "Rights", names the sources and what is unconfirmed. `npm run generate`
  # writes this file from the clients in shared/huaweicloud.
  actions = jsondecode(file("${path.module}/actions.json"))

  # The services whose address each function gets. The address for logs is a variable of its own.
  services = sort(distinct([for call in keys(local.actions) : split(".", call)[0] if !startswith(call, "lts.")]))

  # Every kind of snapshot with the fields of its targets. `npm run generate` writes this file from shared/snapshots/kinds.
  kinds         = jsondecode(file("${path.module}/kinds.json"))
  targets       = flatten([for policy in values(var.policies) : try(policy.targets, [])])
  target_fields = distinct(concat(["kind", "tags", "exclude_tags", "description"], flatten(values(local.kinds))))

  # Describes every function: its trigger, timeout in seconds, memory in MB and cloud calls. `npm run generate` writes this file
  # from functions/<name>/function.ts.
  definitions = jsondecode(file("${path.module}/functions.json"))

  # The functions that the variable `functions` selects. The variable `policies` selects those with a timer.
  selectable = [for name, one in local.definitions : name if one.trigger != "timer"]

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
    REGION             = var.region
    PROJECT_ID         = data.huaweicloud_account.this.current_project_id
    LTS_ENDPOINT       = var.lts_endpoint
    LTS_LOG_GROUP_ID   = huaweicloud_lts_group.this.id
    LTS_LOG_STREAM_ID  = huaweicloud_lts_stream.results.id
    EVS_LIMITS         = var.evs_limits
    HTTP_TIMEOUT_MS    = "10000"
    MAX_CONCURRENCY    = "8"
    SHARD_SIZE         = "500"
    DISK_ATTACHED_KIND = var.disk_attached_kind
    }, {
    for service in local.services :
    "${upper(service)}_ENDPOINT" => lookup(var.endpoints, service, "https://${service}.${var.region}.${var.cloud}")
    }, {
    for retention in [var.disk_attached_retention] : "DISK_ATTACHED_RETENTION" => jsonencode(retention) if retention != null
  })
}
