variable "region" {
  description = "The region, such as eu-west-101."
  type        = string
}

variable "project" {
  description = "The name of the project. Default: the project of the region, which has the region's name."
  type        = string
  default     = null
}

variable "cloud" {
  description = "The domain of the cloud's endpoints. Sister clouds have another one."
  type        = string
  default     = "myhuaweicloud.com"
}

variable "policies" {
  description = <<-EOT
    The policies by name. `schedule` (cron with seconds) and `targets` define which snapshots are created and when.
    `prune_schedule` and `retention` define which snapshots are kept and when the others are deleted. A policy without `schedule`
    and `targets` only prunes: use the name of a function (pre-deploy, disk-attached, create-snapshot ...) to prune its snapshots.
    `time_zone` (default UTC), `make_room`, `hold` and `dry_run` have the meaning of the functions' policies. An alarm fires if
    two runs are more than `every_hours` apart (default 24, at most 216; 0: no alarm). `prune_every_hours` is the same for
    pruning (default: every_hours, but at least 24).
  EOT
  # Not an object type: Terraform silently drops the fields that an object type does not name, such as a misspelled `retention`.
  type    = any
  default = {}

  validation {
    condition = alltrue([
      for name in keys(var.policies) : can(regex("^[A-Za-z][A-Za-z0-9_-]{0,37}$", name)) && !startswith(name, "autobk_snapshot_")
    ])
    error_message = "The name of a policy is a letter followed by up to 37 letters, digits, - or _. It must not begin with autobk_snapshot_."
  }

  validation {
    # The names of triggers have no hyphens, and the search of alarms ignores case.
    condition     = length(distinct([for name in keys(var.policies) : lower(replace(name, "-", "_"))])) == length(keys(var.policies))
    error_message = "The names of two policies must differ in more than case, hyphens and underscores."
  }

  validation {
    # FunctionGraph allows 10 triggers per function (SOURCES.md#terraform-trigger).
    condition     = length(keys(var.policies)) <= 10
    error_message = "There can be at most 10 policies, because a function has at most 10 triggers."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) : length(setsubtract(keys(policy), [
        "schedule", "prune_schedule", "every_hours", "prune_every_hours",
        "time_zone", "targets", "retention", "make_room", "hold", "dry_run",
      ])) == 0
    ])
    error_message = "A policy has schedule, prune_schedule, every_hours, prune_every_hours, time_zone, targets, retention, make_room, hold and dry_run, and no other fields."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) : length(setsubtract(keys(try(policy.retention, {})), [
        "keep_last", "keep_within_days", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "min_keep",
      ])) == 0
    ])
    error_message = "A retention has keep_last, keep_within_days, keep_daily, keep_weekly, keep_monthly, keep_yearly and min_keep, and no other fields."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : (try(policy.schedule, null) != null) == (length(try(policy.targets, [])) > 0)])
    error_message = "A policy has both schedule and at least one target, or neither if it only prunes."
  }

  validation {
    condition = alltrue([
      for schedule in concat(
        [for policy in values(var.policies) : try(policy.schedule, null)],
        [for policy in values(var.policies) : try(policy.prune_schedule, null)],
      ) : schedule == null ? true : can(regex("^[^ ]+( [^ ]+){5}$", schedule))
    ])
    error_message = "A schedule has six fields: seconds minutes hours day-of-month month day-of-week. Set the time zone in time_zone."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : (try(policy.retention, null) == null) == (try(policy.prune_schedule, null) == null)])
    error_message = "A policy has both retention and prune_schedule, or neither if it never deletes a snapshot."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) : try(policy.make_room, false) == true ? contains(
        try([for rule, count in policy.retention : rule != "min_keep" && count > 0], []), true
      ) : true
    ])
    error_message = "make_room: a retention with at least one keep_ rule above 0 is required, because it defines which snapshots to delete."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : try(policy.schedule, null) != null || try(policy.retention, null) != null])
    error_message = "A policy has a schedule, a retention, or both."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) :
      contains(range(217), try(policy.every_hours, 24)) && contains(range(217), try(policy.prune_every_hours, 24))
    ])
    error_message = "every_hours and prune_every_hours are whole numbers from 1 to 216, because an alarm covers at most ten days, or 0 for no alarm."
  }
}

variable "functions" {
  description = "Functions to deploy in addition to those of the policies: disk-attached, and the HTTP functions."
  type        = set(string)
  default     = ["disk-attached"]
}

variable "disk_attached_kind" {
  # No default: some regions refuse new legacy snapshots (SOURCES.md#evs-legacy-regions), and others do not offer standard ones.
  description = "The kind of snapshot that disk-attached creates: snapshot (legacy, EVS v2) or standard-snapshot (EVS v5)."
  type        = string

  validation {
    condition     = contains(["snapshot", "standard-snapshot"], var.disk_attached_kind)
    error_message = "disk_attached_kind: snapshot or standard-snapshot is allowed."
  }
}

variable "disk_attached_retention" {
  # Not an object type, for the same reason as in policies.
  description = "Which snapshots of earlier attachments to keep when a disk already has 7 legacy snapshots: disk-attached deletes the others before it creates a new one. Has the fields of a policy's retention. Default: disk-attached deletes nothing."
  type        = any
  default     = null

  validation {
    condition = length(setsubtract(try(keys(var.disk_attached_retention), []), [
      "keep_last", "keep_within_days", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "min_keep",
    ])) == 0
    error_message = "disk_attached_retention: keep_last, keep_within_days, keep_daily, keep_weekly, keep_monthly, keep_yearly and min_keep are the only fields."
  }

  validation {
    condition = var.disk_attached_retention == null ? true : contains([
      for rule, count in var.disk_attached_retention : rule != "min_keep" && count > 0
    ], true)
    error_message = "disk_attached_retention: at least one keep_ rule must be above 0, such as { keep_last = 2 }."
  }
}

variable "gateway" {
  description = "The dedicated API gateway, which pre-deploy and the create functions need. instance_id: its id. authentication: callers use an application of the gateway (APP) or an access key of this account (IAM). publish_with_iam: must be true for IAM, because any account can call an API after its publication until its access policy is bound (infra/README.md, \"Rights\"). make_room: allows callers of pre-deploy to use make_room, and pre-deploy to delete snapshots."
  type = object({
    instance_id      = string
    authentication   = optional(string, "APP")
    publish_with_iam = optional(bool, false)
    make_room        = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.gateway == null ? true : can(regex("^[0-9a-f-]{32,36}$", var.gateway.instance_id))
    error_message = "gateway.instance_id: the id of the gateway is required, such as 0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7."
  }

  validation {
    condition     = var.gateway == null ? true : contains(["APP", "IAM"], var.gateway.authentication)
    error_message = "gateway.authentication: APP or IAM is required. This module does not deploy an API without authentication."
  }

  validation {
    # The function cannot check the account itself: no documented system parameter of the gateway contains the caller's account.
    condition     = var.gateway == null ? true : var.gateway.authentication != "IAM" || var.gateway.publish_with_iam
    error_message = "gateway.authentication = \"IAM\": from the publication of an API until its access policy is bound, at the first apply and after each change of the API, an access key of any account can call it. Use APP, or accept this with gateway.publish_with_iam = true."
  }
}

variable "alarm" {
  description = "The receiver of alarms: topic_urn, the URN of an SMN topic, or email, an address for a new topic. user_name: the IAM user that LTS names as the sender; default: the user that runs Terraform."
  type = object({
    topic_urn = optional(string)
    email     = optional(string)
    user_name = optional(string)
  })

  validation {
    condition     = (var.alarm.topic_urn == null) != (var.alarm.email == null)
    error_message = "alarm: set either topic_urn or email."
  }

  validation {
    condition     = !endswith(coalesce(var.alarm.email, "-"), "@example.com")
    error_message = "alarm.email: an address of yours is required instead of that of the sample."
  }
}

variable "platform_policies" {
  description = "System-defined IAM policies for FunctionGraph, in addition to the right to publish to SMN. Set [\"CTS Administrator\"] if disk-attached receives no events."
  type        = list(string)
  default     = []
}

variable "lts_endpoint" {
  description = "The address to which the functions send logs: https://lts-access.<region>.myhuaweicloud.com:8102, or the access IP address in the ICAgent's install command on the LTS console."
  type        = string

  validation {
    condition     = can(regex("^https://[^/<>]+$", var.lts_endpoint))
    error_message = "lts_endpoint: an https address without a path is required, such as https://100.125.11.157:8102."
  }
}

variable "endpoints" {
  description = "Addresses of services, such as evs, that differ from https://{service}.{region}.{cloud}."
  type        = map(string)
  default     = {}
}

variable "evs_limits" {
  description = "The limits of legacy snapshots: current, or classic for older clouds (255 bytes for name and description)."
  type        = string
  default     = "current"

  validation {
    condition     = contains(["current", "classic"], var.evs_limits)
    error_message = "evs_limits: current or classic is allowed."
  }
}

variable "runtime" {
  description = "The name of the Node.js 20 runtime in FunctionGraph of this region."
  type        = string
  default     = "Node.js20.15"
}

variable "enterprise_project_id" {
  description = "The id of the enterprise project of the functions, logs and alarm topic."
  type        = string
  default     = null
}

variable "log_days" {
  description = "How many days to keep logs and result records, 1 to 365."
  type        = number
  default     = 30
}

variable "dist" {
  description = "The folder with the built functions. Default: the folder dist of this repository."
  type        = string
  default     = null
}
