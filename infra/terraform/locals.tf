data "huaweicloud_account" "this" {
  lifecycle {
    # These checks compare variables with values from generated files. They cannot be validations of the variables, because
    # before Terraform 1.9 a validation can read only its own variable.
    precondition {
      condition     = length(setsubtract(var.functions, local.selectable)) == 0
      error_message = "functions: expected any of ${join(", ", local.selectable)}; got ${join(", ", var.functions)}."
    }

    precondition {
      condition     = length(keys(var.coverage)) == 0 || contains(var.functions, "report-coverage")
      error_message = "coverage: the daily report needs the function report-coverage. Add \"report-coverage\" to `functions`, or remove `coverage`."
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
      error_message = "policies: prune-snapshots would have ${length(keys(local.prune_timers))} timers (${join(", ", keys(local.prune_timers))}), but FunctionGraph allows 10 triggers per function. Every policy has such a timer, and so has every function in the variable `functions` that creates snapshots and that no policy is named after. Remove policies or functions, or set `delete_duplicates = false`, which removes the timers that only delete duplicates."
    }

    precondition {
      condition     = length(setsubtract(local.gate_policies, concat(["pre-deploy"], keys(var.policies)))) == 0
      error_message = "gateway.policies: expected names of policies in the variable `policies`; got ${join(", ", try(var.gateway.policies, []))}."
    }

    precondition {
      condition     = length(setsubtract(local.gate_kinds, keys(local.kinds))) == 0
      error_message = "gateway.kinds: expected any of ${join(", ", keys(local.kinds))}; got ${join(", ", local.gate_kinds)}."
    }

    precondition {
      # If a disk has 7 snapshots, pre-deploy and disk-attached delete an old one. They apply the retention in the request or in
      # DISK_ATTACHED_RETENTION, and know no other field of the policy.
      condition = length([
        for name, policy in var.policies : name
        if length(coalesce(try(policy.hold, null), [])) > 0 && (
          name == "pre-deploy" && try(var.gateway.make_room, false) || name == "disk-attached" && var.disk_attached_retention != null
        )
      ]) == 0
      error_message = "policies: The field `hold` of the policies `pre-deploy` and `disk-attached` has no effect on the deletions that `gateway.make_room` and `disk_attached_retention` allow. Hold these snapshots by a label `hold`, or by a description that begins with `hold`."
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

  # The functions that var.functions may contain. Functions that only a timer starts are excluded, because `wanted` decides whether
  # they are deployed.
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
  event_functions = { for name, one in local.deployed : name => one if one.trigger != "http" || one.timer }
  # A function that also has a timer needs no gateway. Without a gateway, it has no API.
  http_functions = { for name, one in local.deployed : name => one if one.trigger == "http" && (var.gateway != null || !one.timer) }

  # The functions in var.functions that create snapshots. A function with the method GET only reads.
  creators = [for name in var.functions : name if try(local.definitions[name].method, null) != "GET"]

  # How callers authenticate at the gateway: APP or IAM. Null if no HTTP function is deployed.
  authentication = length(keys(local.http_functions)) > 0 ? try(var.gateway.authentication, null) : null

  # The policy names that a request to pre-deploy may contain.
  gate_policies = distinct(concat(["pre-deploy"], try(var.gateway.policies, [])))

  # Maps each deployed function to the kinds of snapshots that it creates if a caller starts it.
  kinds_of_functions = {
    for name in local.creators : name => [
      for kind in keys(local.kinds) : kind
      if name == "create-${kind}" || name == "disk-attached" && kind == var.disk_attached_kind || name == "pre-deploy" && contains(local.gate_kinds, kind)
    ]
  }
  gate_kinds = try(var.gateway.kinds, null) == null ? keys(local.kinds) : var.gateway.kinds

  # The deployed policies, and the deployed functions whose snapshots belong to the policy with the name of the function, each with
  # its kinds of snapshots. A policy that creates snapshots also has its schedule and the time since when the schedule is deployed.
  deployed_policies = {
    for name in setunion(local.creators, keys(var.policies)) : name => merge(
      { kinds = sort(distinct(concat(lookup(local.kinds_of_functions, name, []), lookup(local.kinds_of_policies, name, [])))) },
      lookup(local.expected_runs, name, {}),
    )
  }
  kinds_of_policies = {
    for name, policy in var.policies : name => sort(distinct([for target in try(policy.targets, []) : target.kind]))
  }
  expected_runs = {
    for name, schedule in local.take_schedules : name => { schedule = schedule, since = terraform_data.schedule[name].output }
  }

  # The variables that only some functions read.
  own_variables = {
    "pre-deploy"       = { PRE_DEPLOY_POLICIES = join(",", local.gate_policies) }
    "prune-snapshots"  = { PRE_DEPLOY_POLICIES = join(",", local.gate_policies), DEPLOYED_POLICIES = jsonencode(local.deployed_policies) }
    "report-coverage"  = { DEPLOYED_POLICIES = jsonencode(local.deployed_policies) }
    "verify-snapshots" = { DEPLOYED_POLICIES = jsonencode(local.deployed_policies) }
  }

  # The environment variables of each function.
  user_data = { for name in keys(local.deployed) : name => merge(local.variables, lookup(local.own_variables, name, {})) }

  # The policies whose retention only counts snapshots, although callers decide how many snapshots these policies create.
  count_only_policies = [
    for name, policy in var.policies : name
    if contains(concat(local.selectable, local.gate_policies), name) && try(policy.retention, null) != null && length([
      for rule, count in try(policy.retention, {}) : rule if contains(local.time_rules, rule) && count > 0
    ]) == 0
  ]
  # The policies with dry_run whose snapshots a function can delete anyway, because this function does not read the policy.
  live_dry_runs = [
    for name, policy in var.policies : name if try(policy.dry_run, false) == true && (
      name == "pre-deploy" && try(var.gateway.make_room, false) || name == "disk-attached" && var.disk_attached_retention != null
    )
  ]
  time_rules = ["keep_within_days", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly"]

  # The environment variables that every function has. FunctionGraph allows at most 20 variables, and a test counts them.
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

# The time at which each schedule of scheduled-snapshots was deployed. verify-snapshots computes the first run of the schedule from
# it. The time changes only if the policy starts to create other snapshots or to create them at other times.
resource "terraform_data" "schedule" {
  for_each = local.take_schedules

  input            = timestamp()
  triggers_replace = concat([each.value], local.kinds_of_policies[each.key])

  lifecycle {
    ignore_changes = [input]
  }
}

# A failed check is a warning: `terraform plan` prints it and continues.
check "policies_of_callers" {
  assert {
    condition     = length(local.count_only_policies) == 0
    error_message = "policies: The retention of ${join(", ", local.count_only_policies)} only counts snapshots, but callers decide how many snapshots these policies create. A few calls therefore delete every older snapshot of a disk. Add a rule that depends on time, such as `keep_daily`."
  }

  assert {
    condition = var.disk_attached_retention == null ? true : contains([
      for rule, count in var.disk_attached_retention : contains(local.time_rules, rule) && count > 0
    ], true)
    error_message = "disk_attached_retention: The rules only count snapshots. Whoever attaches and detaches a full disk a few times therefore deletes every older snapshot of the disk. Add a rule that depends on time, such as `keep_daily`."
  }

  assert {
    condition     = length(local.live_dry_runs) == 0
    error_message = "policies: The field `dry_run` of ${join(", ", local.live_dry_runs)} stops only prune-snapshots. Callers and attachments still create snapshots, and `gateway.make_room` or `disk_attached_retention` still allows deletions. To try the retention first, remove this permission."
  }
}
