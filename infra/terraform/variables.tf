variable "region" {
  description = "The region, such as eu-west-101."
  type        = string
}

variable "project" {
  description = "The name of the project. Default: the project that has the same name as the region."
  type        = string
  default     = null
}

variable "cloud" {
  description = "The domain of the service endpoints. Partner clouds have a different domain."
  type        = string
  default     = "myhuaweicloud.com"
}

variable "policies" {
  description = <<-EOT
    The policies by name. `schedule` (a cron expression with seconds) and `targets` define when snapshots are created, and of which
    resources. `prune_schedule` and `retention` define when snapshots are deleted, and which snapshots are kept. A policy without
    `schedule` and `targets` only deletes snapshots. To delete the snapshots of a function, such as pre-deploy, disk-attached or
    create-snapshot, give the policy the name of that function. `time_zone` (default UTC), `make_room`, `hold` and `dry_run` have
    the same meaning as in the policies of the functions. `$schema` is ignored. `every_hours` is the expected number of hours between
    two runs of `schedule`. An alarm fires if a run is missing. The default is 24 and the maximum is 216. With 0, no alarm fires.
    `prune_every_hours` is the same number for `prune_schedule`. Its default is `every_hours`, but at least 24.
  EOT
  # This is not an object type, because Terraform silently drops fields that an object type does not name, such as a misspelled
  # `retention`.
  type    = any
  default = {}

  validation {
    condition = alltrue([
      for name in keys(var.policies) : can(regex("^[A-Za-z][A-Za-z0-9_-]{0,37}$", name)) && !can(regex("^(auto|manual)bk_snapshot_", lower(name)))
    ])
    error_message = "policies: The name of a policy must be a letter followed by up to 37 letters, digits, hyphens or underscores, and must not begin with `autobk_snapshot_` or `manualbk_snapshot_`, in upper or lower case."
  }

  validation {
    # If two names differed only in hyphens and underscores, the triggers of the two policies would have the same name. If two
    # names differed only in case, each alarm would match the records of both policies, because the LTS search ignores case.
    condition     = length(distinct([for name in keys(var.policies) : lower(replace(name, "-", "_"))])) == length(keys(var.policies))
    error_message = "policies: The names of two policies must differ in more than case, hyphens and underscores. For example, `a-b` and `A_b` count as the same name."
  }

  validation {
    # FunctionGraph allows 10 triggers per function (SOURCES.md#terraform-trigger).
    condition     = length(keys(var.policies)) <= 10
    error_message = "policies: expected at most 10 policies, because FunctionGraph allows 10 triggers per function."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) : length(setsubtract(keys(policy), [
        "schedule", "prune_schedule", "every_hours", "prune_every_hours",
        "time_zone", "targets", "retention", "make_room", "hold", "dry_run", "$schema",
      ])) == 0
    ])
    error_message = "policies: A policy can have only the fields `schedule`, `prune_schedule`, `every_hours`, `prune_every_hours`, `time_zone`, `targets`, `retention`, `make_room`, `hold`, `dry_run` and `$schema`."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) : length(setsubtract(keys(try(policy.retention, {})), [
        "keep_last", "keep_within_days", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "min_keep",
      ])) == 0
    ])
    error_message = "policies: A `retention` can have only the fields `keep_last`, `keep_within_days`, `keep_daily`, `keep_weekly`, `keep_monthly`, `keep_yearly` and `min_keep`."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : (try(policy.schedule, null) != null) == (length(try(policy.targets, [])) > 0)])
    error_message = "policies: A policy that creates snapshots must have both `schedule` and at least one target in `targets`. A policy that only deletes snapshots must have neither `schedule` nor `targets`."
  }

  validation {
    condition = alltrue([
      for schedule in concat(
        [for policy in values(var.policies) : try(policy.schedule, null)],
        [for policy in values(var.policies) : try(policy.prune_schedule, null)],
      ) : schedule == null ? true : can(regex("^[^ ]+( [^ ]+){5}$", schedule))
    ])
    error_message = "policies: `schedule` and `prune_schedule` must have six fields: seconds, minutes, hours, day of month, month and day of week, separated by one space. Set the time zone in `time_zone`."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : (try(policy.retention, null) == null) == (try(policy.prune_schedule, null) == null)])
    error_message = "policies: A policy that deletes old snapshots must have both `retention` and `prune_schedule`. A policy that keeps all snapshots except duplicates must have neither of them: duplicates are then deleted once a day."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) : try(policy.make_room, false) == true ? contains(
        try([for rule, count in policy.retention : rule != "min_keep" && count > 0], []), true
      ) : true
    ])
    error_message = "policies: A policy with `make_room` must have a `retention` with at least one `keep_` rule above 0, because the `retention` defines which snapshots to delete."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : try(policy.schedule, null) != null || try(policy.retention, null) != null])
    error_message = "policies: A policy must have `schedule`, `retention`, or both."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) :
      contains(range(217), try(policy.every_hours, 24)) && contains(range(217), try(policy.prune_every_hours, 24))
    ])
    error_message = "policies: `every_hours` and `prune_every_hours` must be whole numbers from 0 to 216, because an alarm covers at most ten days. Set 0 for no alarm."
  }
}

variable "delete_duplicates" {
  description = "Whether prune-snapshots also runs once a day for every policy without a `retention`, and for every function in `functions` that creates snapshots, to delete duplicates: snapshots that were created twice because an event was delivered twice. Set false to remove these timers. A policy with a `retention` always deletes duplicates."
  type        = bool
  default     = true
}

variable "functions" {
  description = "The names of the functions to deploy in addition to the functions that the policies need: `disk-attached`, `pre-deploy`, `report-coverage`, or create functions such as `create-snapshot`. `report-coverage` has an API only if the variable `gateway` is set, and always has a timer."
  type        = set(string)
  default     = ["disk-attached"]
}

variable "coverage" {
  # This is not an object type, because Terraform silently drops fields that an object type does not name.
  description = "What the daily timer of report-coverage reports, if the variable `functions` contains this function: `max_age_hours`, `kinds`, `tags`, `exclude_tags` and `states`, with the same meaning as the query parameters of the function. `schedule` (a cron expression with seconds, default `0 0 7 * * *`) and `time_zone` (default UTC) define when. `every_hours` is the expected number of hours between two runs, as in a policy."
  type        = any
  default     = {}

  validation {
    condition = length(setsubtract(keys(var.coverage), [
      "schedule", "time_zone", "every_hours", "max_age_hours", "kinds", "tags", "exclude_tags", "states",
    ])) == 0
    error_message = "coverage: The only allowed fields are `schedule`, `time_zone`, `every_hours`, `max_age_hours`, `kinds`, `tags`, `exclude_tags` and `states`."
  }

  validation {
    condition     = try(var.coverage.schedule, null) == null ? true : can(regex("^[^ ]+( [^ ]+){5}$", var.coverage.schedule))
    error_message = "coverage.schedule: must have six fields: seconds, minutes, hours, day of month, month and day of week, separated by one space."
  }

  validation {
    condition     = contains(range(217), try(var.coverage.every_hours, 24))
    error_message = "coverage.every_hours: must be a whole number from 0 to 216, because an alarm covers at most ten days. Set 0 for no alarm."
  }

  validation {
    condition     = try(var.coverage.max_age_hours, null) == null ? true : try(var.coverage.max_age_hours > 0, false)
    error_message = "coverage.max_age_hours: must be a number above 0."
  }

  validation {
    condition = try(var.coverage.kinds, null) == null ? true : alltrue([
      for kind in try(split(",", var.coverage.kinds), var.coverage.kinds) : contains(["volume", "cluster"], trimspace(kind))
    ])
    error_message = "coverage.kinds: must contain only `volume` and `cluster`, the kinds of resources."
  }

  # Resources in other states have no records, so the alarm on unprotected resources would never fire.
  validation {
    condition = try(var.coverage.states, null) == null ? true : length(setsubtract(["unprotected", "failing"], [
      for state in try(split(",", var.coverage.states), var.coverage.states) : trimspace(state)
    ])) == 0
    error_message = "coverage.states: must contain `unprotected` and `failing`, because an alarm searches for these states."
  }
}

variable "disk_attached_kind" {
  # This variable has no default, because some regions reject new legacy snapshots (SOURCES.md#evs-legacy-regions), and other
  # regions do not offer standard snapshots.
  description = "The kind of snapshot that disk-attached creates: `snapshot` (legacy, EVS v2) or `standard-snapshot` (EVS v5)."
  type        = string

  validation {
    condition     = contains(["snapshot", "standard-snapshot"], var.disk_attached_kind)
    error_message = "disk_attached_kind: must be `snapshot` or `standard-snapshot`, got ${var.disk_attached_kind}."
  }
}

variable "disk_attached_retention" {
  # This is not an object type, because Terraform silently drops fields that an object type does not name.
  description = "If a disk already has 7 legacy snapshots, disk-attached deletes some of the snapshots that it created at earlier attachments, before it creates a new snapshot. This variable defines which of these snapshots disk-attached does not delete. It has the same fields as the `retention` of a policy. Default: disk-attached deletes no snapshot."
  type        = any
  default     = null

  validation {
    condition = length(setsubtract(try(keys(var.disk_attached_retention), []), [
      "keep_last", "keep_within_days", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "min_keep",
    ])) == 0
    error_message = "disk_attached_retention: The only allowed fields are `keep_last`, `keep_within_days`, `keep_daily`, `keep_weekly`, `keep_monthly`, `keep_yearly` and `min_keep`."
  }

  validation {
    condition = var.disk_attached_retention == null ? true : contains([
      for rule, count in var.disk_attached_retention : rule != "min_keep" && count > 0
    ], true)
    error_message = "disk_attached_retention: at least one `keep_` rule must be above 0, such as `keep_daily = 7`."
  }
}

variable "gateway" {
  description = "The dedicated API gateway that pre-deploy, the create functions and the API of report-coverage need. `instance_id`: the id of the gateway. `authentication`: `APP` if callers use an application of the gateway, or `IAM` if they use an access key of this account. `publish_with_iam`: must be true for `IAM`, to accept a risk: any account can call an API that was just created or changed, until its access policy is bound (infra/README.md, \"Rights\"). `make_room`: allows callers of pre-deploy to set `make_room` in their requests, and allows pre-deploy to delete snapshots. `policies`: the policies, in addition to `pre-deploy`, that callers of pre-deploy can set in their requests. The retention of such a policy also deletes snapshots because of snapshots that callers create (infra/README.md, \"What a caller can cause\"). `kinds`: the kinds of snapshots that callers of pre-deploy need. An alarm fires if the region does not offer one of them. Default: every kind."
  type = object({
    instance_id      = string
    authentication   = optional(string, "APP")
    publish_with_iam = optional(bool, false)
    make_room        = optional(bool, false)
    policies         = optional(list(string), [])
    kinds            = optional(list(string))
  })
  default = null

  validation {
    condition     = var.gateway == null ? true : can(regex("^[0-9a-f-]{32,36}$", var.gateway.instance_id))
    error_message = "gateway.instance_id: must be the id of a dedicated API gateway, such as 0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7."
  }

  validation {
    condition     = var.gateway == null ? true : contains(["APP", "IAM"], var.gateway.authentication)
    error_message = "gateway.authentication: must be `APP` or `IAM`. This module does not deploy an API without authentication."
  }

  validation {
    # The function cannot check the account of the caller: no documented system parameter of the gateway contains this account.
    condition     = var.gateway == null ? true : var.gateway.authentication != "IAM" || var.gateway.publish_with_iam
    error_message = "gateway.authentication = \"IAM\": an access key of any account can call an API that was just created or changed, until its access policy is bound. Use `APP`, or accept this risk with `gateway.publish_with_iam = true`."
  }
}

variable "alarm" {
  description = "The receiver of alarms. `topic_urn`: the URN of an existing SMN topic. `email`: the address that receives the alarms of a new SMN topic. Set either `topic_urn` or `email`. `user_name`: the IAM user in whose name LTS sends the alarms. Default: the user that runs Terraform."
  type = object({
    topic_urn = optional(string)
    email     = optional(string)
    user_name = optional(string)
  })

  validation {
    condition     = (var.alarm.topic_urn == null) != (var.alarm.email == null)
    error_message = "alarm: set either `topic_urn` or `email`."
  }

  validation {
    condition     = !endswith(coalesce(var.alarm.email, "-"), "@example.com")
    error_message = "alarm.email: must be your address, not the sample address."
  }
}

variable "platform_policies" {
  description = "System-defined IAM policies for the agency of FunctionGraph itself, in addition to the permission to publish to SMN. Set `[\"CTS Administrator\"]` if disk-attached receives no events."
  type        = list(string)
  default     = []
}

variable "lts_endpoint" {
  description = "The address to which the functions send result records. In many regions, this address is `https://lts-access.<region>.myhuaweicloud.com:8102`. If your region does not have this address, set `https://<IP address>:8102`. To find the IP address, open \"Install ICAgent\" on the LTS console, and copy the access IP address from the command that the console shows."
  type        = string

  validation {
    condition     = can(regex("^https://[^/<>]+$", var.lts_endpoint))
    error_message = "lts_endpoint: must be an https address without a path, such as https://100.125.11.157:8102."
  }
}

variable "endpoints" {
  description = "The endpoints that differ from https://{service}.{region}.{cloud}, by service name, such as evs."
  type        = map(string)
  default     = {}
}

variable "evs_limits" {
  description = "The limits for the name and description of legacy snapshots: `current`, or `classic` for older clouds, which allow 255 bytes."
  type        = string
  default     = "current"

  validation {
    condition     = contains(["current", "classic"], var.evs_limits)
    error_message = "evs_limits: must be `current` or `classic`, got ${var.evs_limits}."
  }
}

variable "runtime" {
  description = "The name of the Node.js 20 runtime that FunctionGraph offers in this region."
  type        = string
  default     = "Node.js20.15"
}

variable "enterprise_project_id" {
  description = "The id of the enterprise project to which the functions, the logs and the alarm topic belong."
  type        = string
  default     = null
}

variable "log_days" {
  description = "How many days LTS keeps logs and result records, from 1 to 365."
  type        = number
  default     = 30
}

variable "dist" {
  description = "The folder with the built functions. Default: the folder dist of this repository."
  type        = string
  default     = null
}
