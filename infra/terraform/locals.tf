data "huaweicloud_account" "this" {
  lifecycle {
    # These checks compare variables with values from generated files. They cannot be validations of the variables, because
    # before Terraform 1.9 a validation can read only its own variable.
    precondition {
      condition     = length(setsubtract(var.functions, local.selectable)) == 0
      error_message = "functions: expected any of ${join(", ", local.selectable)}; got ${join(", ", var.functions)}."
    }

    precondition {
      # If `targets` is not an array, the inner loop fails. `flatten` receives the results of the loop and not `targets` itself,
      # because it would also flatten an array inside `targets`.
      condition = alltrue(flatten([
        for policy in values(var.policies) :
        [for target in try(policy.targets, []) : contains(keys(local.kinds), try(target.kind, ""))]
      ]))
      error_message = "policies: Every target must have one of these kinds: ${join(", ", keys(local.kinds))}."
    }

    precondition {
      # Allow the fields of every kind of snapshot in each target. The function rejects a field that the kind of the target does
      # not have.
      condition = alltrue(flatten([
        for policy in values(var.policies) :
        [for target in try(policy.targets, []) : length(setsubtract(keys(target), local.target_fields)) == 0]
      ]))
      error_message = "policies: A target can have only the fields `${join("`, `", local.target_fields)}`."
    }

    precondition {
      # FunctionGraph allows 10 triggers per function (SOURCES.md#terraform-trigger).
      condition     = length(keys(local.prune_timers)) <= 10
      error_message = "policies: prune-snapshots would have ${length(keys(local.prune_timers))} timers (${join(", ", keys(local.prune_timers))}), but FunctionGraph allows 10 triggers per function. Every policy has such a timer, and so has every function in the variable `functions` that no policy is named after. Remove policies or functions, or set `delete_duplicates = false`, which removes the timers that only delete duplicates."
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
  # The prefix of every resource name in this module.
  prefix = "snapshots"

  # Maps each cloud call to the IAM actions that the call requires. infra/README.md, "Rights", names the source of each action
  # and marks the unconfirmed actions. `npm run generate` writes this file from the clients in shared/huaweicloud.
  actions = jsondecode(file("${path.module}/actions.json"))

  # The services whose endpoints every function receives as environment variables. The endpoint of LTS comes from
  # var.lts_endpoint.
  services = sort(distinct([for call in keys(local.actions) : split(".", call)[0] if !startswith(call, "lts.")]))

  # Maps each kind of snapshot to the fields that only its targets have. `npm run generate` writes this file from
  # shared/snapshots/kinds.
  kinds         = jsondecode(file("${path.module}/kinds.json"))
  target_fields = distinct(concat(["kind", "tags", "exclude_tags", "description"], flatten(values(local.kinds))))

  # Describes every function: its trigger, timeout in seconds, memory in MB and cloud calls. `npm run generate` writes this file
  # from functions/<name>/function.ts.
  definitions = jsondecode(file("${path.module}/functions.json"))

  # The functions that var.functions may contain. Functions with a timer are excluded, because `wanted` decides whether they are
  # deployed.
  selectable = [for name, one in local.definitions : name if one.trigger != "timer"]

  # The cloud call that deletes a legacy snapshot if a disk has no room for a new snapshot. Other kinds of snapshots do not need
  # this call, because their limit per disk is high.
  make_room = ["evs.deleteSnapshot"]

  # The cloud calls that a function does not make with the current variables. The agency of the function gets no permission for
  # these calls.
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

  # Always deploy verify-snapshots. Deploy scheduled-snapshots if there is a policy, and prune-snapshots if it has a timer. Deploy
  # any other function if var.functions contains its name.
  wanted = setunion(
    var.functions,
    ["verify-snapshots"],
    length(keys(var.policies)) > 0 ? ["scheduled-snapshots"] : [],
    length(keys(local.prune_timers)) > 0 ? ["prune-snapshots"] : [],
  )

  deployed        = { for name, one in local.functions : name => one if contains(local.wanted, name) }
  http_functions  = { for name, one in local.deployed : name => one if one.trigger == "http" }
  event_functions = { for name, one in local.deployed : name => one if one.trigger != "http" }

  # How callers authenticate at the gateway: APP or IAM. Null if no HTTP function is deployed.
  authentication = length(keys(local.http_functions)) > 0 ? try(var.gateway.authentication, null) : null

  # The environment variables of every function. FunctionGraph allows at most 20 variables, and a test counts them.
  variables = merge({
    REGION             = var.region
    PROJECT_ID         = data.huaweicloud_account.this.current_project_id
    LTS_ENDPOINT       = var.lts_endpoint
    LTS_LOG_GROUP_ID   = huaweicloud_lts_group.this.id
    LTS_LOG_STREAM_ID  = huaweicloud_lts_stream.results.id
    EVS_LIMITS         = var.evs_limits
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
