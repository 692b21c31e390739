variable "region" {
  description = "The region, such as eu-west-101."
  type        = string
}

variable "project" {
  description = "The name of the project, where it is not the region's own."
  type        = string
  default     = null
}

variable "cloud" {
  description = "The domain of the cloud's endpoints: another one on a sister cloud."
  type        = string
  default     = "myhuaweicloud.com"
}

variable "policies" {
  description = <<-EOT
    The policies by name. `schedule` (cron with seconds) and `targets`: what is taken; `prune_schedule` and `retention`: what is
    kept. A policy without the first two only prunes: what gates, attachments or the create functions made, by their name.
    `time_zone` (default UTC), `make_room`, `hold` and `dry_run` as the functions take them; `every_hours`: how many hours may
    pass between two runs before it counts as silence (default 24, at most 216; 0: no alarm); `prune_every_hours`: the same of
    the pruning (default: every_hours, but a day at least).
  EOT
  # Not an object type: Terraform drops what that does not name without a word, and a misspelt retention would be none.
  type    = any
  default = {}

  validation {
    condition = alltrue([
      for name in keys(var.policies) : can(regex("^[A-Za-z][A-Za-z0-9_-]{0,37}$", name)) && !startswith(name, "autobk_snapshot_")
    ])
    error_message = "The name of a policy is a letter followed by up to 37 letters, digits, - or _, not beginning with autobk_snapshot_."
  }

  validation {
    # The names of triggers have no hyphens, and alarms do not tell upper case from lower case.
    condition     = length(distinct([for name in keys(var.policies) : lower(replace(name, "-", "_"))])) == length(keys(var.policies))
    error_message = "Two policies must differ in more than case, hyphens and underscores."
  }

  validation {
    # FunctionGraph: 10 triggers a function.
    condition     = length(keys(var.policies)) <= 10
    error_message = "There can be 10 policies: a function has at most 10 triggers."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) : length(setsubtract(keys(policy), [
        "schedule", "prune_schedule", "every_hours", "prune_every_hours",
        "time_zone", "targets", "retention", "make_room", "hold", "dry_run",
      ])) == 0
    ])
    error_message = "A policy has schedule, prune_schedule, every_hours, prune_every_hours, time_zone, targets, retention, make_room, hold and dry_run, and nothing else."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) : length(setsubtract(keys(try(policy.retention, {})), [
        "keep_last", "keep_within_days", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "min_keep",
      ])) == 0
    ])
    error_message = "A retention has keep_last, keep_within_days, keep_daily, keep_weekly, keep_monthly, keep_yearly and min_keep, and nothing else."
  }

  validation {
    condition = alltrue(flatten([
      for policy in values(var.policies) : [for target in try(policy.targets, []) : contains(
        ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"], try(target.kind, "")
      )]
    ]))
    error_message = "The kind of a target is snapshot, standard-snapshot, snapshot-group or cluster-snapshot."
  }

  validation {
    # Those of every kind; which of them a kind has is the function's to say.
    condition = alltrue(flatten([
      for policy in values(var.policies) : [for target in try(policy.targets, []) : length(setsubtract(keys(target), [
        "kind", "volume_ids", "server_ids", "cluster_ids", "tags", "exclude_tags",
        "description", "force", "incremental", "instant_access",
      ])) == 0]
    ]))
    error_message = "A target has kind, volume_ids, server_ids or cluster_ids, tags, exclude_tags, description, force, incremental and instant_access, and nothing else."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : (try(policy.schedule, null) != null) == (length(try(policy.targets, [])) > 0)])
    error_message = "A policy has both schedule and at least one target, or neither: then it only prunes."
  }

  validation {
    condition = alltrue([
      for schedule in concat(
        [for policy in values(var.policies) : try(policy.schedule, null)],
        [for policy in values(var.policies) : try(policy.prune_schedule, null)],
      ) : schedule == null ? true : can(regex("^[^ ]+( [^ ]+){5}$", schedule))
    ])
    error_message = "A schedule has six fields: seconds minutes hours day-of-month month day-of-week. The zone is time_zone's."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : (try(policy.retention, null) == null) == (try(policy.prune_schedule, null) == null)])
    error_message = "A policy has both retention and prune_schedule, or neither: then nothing is ever deleted."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) : try(policy.make_room, false) == true ? contains(
        try([for rule, count in policy.retention : rule != "min_keep" && count > 0], []), true
      ) : true
    ])
    error_message = "make_room: a retention beside it, with at least one of the keep_ rules above 0, as it says what may go."
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
    error_message = "every_hours and prune_every_hours are whole numbers from 1 to 216, as an alarm looks back at most ten days; 0 for no alarm on that silence."
  }
}

variable "functions" {
  description = "Which functions are wanted beside those for the policies: disk-attached, pre-deploy, create-snapshot, create-standard-snapshot, create-snapshot-group, create-cluster-snapshot."
  type        = set(string)
  default     = ["disk-attached"]

  validation {
    condition = length(setsubtract(var.functions, [
      "disk-attached", "pre-deploy",
      "create-snapshot", "create-standard-snapshot", "create-snapshot-group", "create-cluster-snapshot",
    ])) == 0
    error_message = "functions: disk-attached, pre-deploy, create-snapshot, create-standard-snapshot, create-snapshot-group, create-cluster-snapshot."
  }
}

variable "disk_attached_kind" {
  # No default: some regions take no new legacy snapshots (HWC evs_01_0098), others have no standard ones.
  description = "What disk-attached takes: snapshot (legacy, EVS v2) or standard-snapshot (EVS v5)."
  type        = string

  validation {
    condition     = contains(["snapshot", "standard-snapshot"], var.disk_attached_kind)
    error_message = "disk_attached_kind: snapshot or standard-snapshot."
  }
}

variable "disk_attached_retention" {
  # Not an object type, as in policies.
  description = "Where set, a legacy disk that stands at its 7 snapshots has room made before disk-attached takes another one: what is kept of those that earlier attachments left, as the retention of a policy."
  type        = any
  default     = null

  validation {
    condition = length(setsubtract(try(keys(var.disk_attached_retention), []), [
      "keep_last", "keep_within_days", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "min_keep",
    ])) == 0
    error_message = "disk_attached_retention: keep_last, keep_within_days, keep_daily, keep_weekly, keep_monthly, keep_yearly and min_keep, and nothing else."
  }

  validation {
    condition = var.disk_attached_retention == null ? true : contains([
      for rule, count in var.disk_attached_retention : rule != "min_keep" && count > 0
    ], true)
    error_message = "disk_attached_retention: at least one of the keep_ rules above 0, such as { keep_last = 2 }."
  }
}

variable "gateway" {
  description = "The dedicated API gateway, needed for pre-deploy and the create functions: its instance_id, and whether callers sign with an application of the gateway (APP) or with an access key of this account (IAM). publish_with_iam: has to be true for IAM, because any account can call an API between its publication and its access policy (infra/README.md, \"Rights\"). make_room: callers of pre-deploy may ask for it, so pre-deploy gets the right to delete snapshots."
  type = object({
    instance_id      = string
    authentication   = optional(string, "APP")
    publish_with_iam = optional(bool, false)
    make_room        = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.gateway == null ? true : can(regex("^[0-9a-f-]{32,36}$", var.gateway.instance_id))
    error_message = "gateway.instance_id: the id of the gateway, such as 0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7."
  }

  validation {
    condition     = var.gateway == null ? true : contains(["APP", "IAM"], var.gateway.authentication)
    error_message = "gateway.authentication: APP or IAM. An API that anybody can call is not offered."
  }

  validation {
    # The gateway gives the function no account to compare: none of its documented system parameters is the caller's account.
    condition     = var.gateway == null ? true : var.gateway.authentication != "IAM" || var.gateway.publish_with_iam
    error_message = "gateway.authentication = \"IAM\": from the publication of an API until its access policy is bound, at the first apply and again after each change of the API, an access key of any account can call it. Use APP, or accept this with gateway.publish_with_iam = true."
  }
}

variable "alarm" {
  description = "Where alarms go: the URN of an SMN topic, or an e-mail address for a new one. user_name: the IAM user in whose name LTS notifies; default: who runs Terraform."
  type = object({
    topic_urn = optional(string)
    email     = optional(string)
    user_name = optional(string)
  })

  validation {
    condition     = (var.alarm.topic_urn == null) != (var.alarm.email == null)
    error_message = "alarm: either topic_urn or email."
  }

  validation {
    condition     = !endswith(coalesce(var.alarm.email, "-"), "@example.com")
    error_message = "alarm.email: an address of yours, in place of the sample's."
  }
}

variable "platform_policies" {
  description = "IAM's own policies that FunctionGraph gets for the functions beside the right to publish to SMN: [\"CTS Administrator\"] where no attachment arrives."
  type        = list(string)
  default     = []
}

variable "lts_endpoint" {
  description = "Where LTS takes logs: https://lts-access.<region>.myhuaweicloud.com:8102, or the access IP address that the ICAgent's install command on the LTS console shows."
  type        = string

  validation {
    condition     = can(regex("^https://[^/<>]+$", var.lts_endpoint))
    error_message = "lts_endpoint: an https address without a path, such as https://100.125.11.157:8102."
  }
}

variable "endpoints" {
  description = "Addresses of evs, dws, ecs and functiongraph that are not https://{service}.{region}.{cloud}."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.endpoints), ["evs", "dws", "ecs", "functiongraph"])) == 0
    error_message = "endpoints: evs, dws, ecs, functiongraph."
  }
}

variable "evs_limits" {
  description = "current, or classic for older clouds: 255 bytes for the name and description of a legacy snapshot."
  type        = string
  default     = "current"

  validation {
    condition     = contains(["current", "classic"], var.evs_limits)
    error_message = "evs_limits: current or classic."
  }
}

variable "runtime" {
  description = "FunctionGraph's name of Node.js 20 in this region."
  type        = string
  default     = "Node.js20.15"
}

variable "enterprise_project_id" {
  description = "The enterprise project of functions, logs and topic."
  type        = string
  default     = null
}

variable "log_days" {
  description = "How many days logs and results are kept, 1 to 365."
  type        = number
  default     = 30
}

variable "dist" {
  description = "The folder with the built functions; default: dist of this checkout."
  type        = string
  default     = null
}
