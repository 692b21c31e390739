resource "huaweicloud_smn_topic" "alarms" {
  count = var.alarm.topic_urn == null ? 1 : 0

  name                  = "${local.prefix}-alarms"
  display_name          = "Snapshots"
  enterprise_project_id = var.enterprise_project_id
}

# SMN sends no notification to this address until the recipient opens the link in the confirmation mail.
resource "huaweicloud_smn_subscription" "alarms" {
  count = var.alarm.topic_urn == null ? 1 : 0

  topic_urn = huaweicloud_smn_topic.alarms[0].topic_urn
  protocol  = "email"
  endpoint  = var.alarm.email
}

locals {
  # The format of a topic URN is urn:smn:{region}:{project_id}:{name}.
  topic_urn  = coalesce(var.alarm.topic_urn, one(huaweicloud_smn_topic.alarms[*].topic_urn))
  topic_name = element(split(":", local.topic_urn), 4)

  # The default pruning interval is at least 24 hours, even if the policy creates snapshots more often. A timer that only deletes
  # duplicates starts every 24 hours.
  prune_hours = {
    for name, policy in var.policies :
    name => try(policy.prune_every_hours, try(policy.every_hours, 24) == 0 ? 0 : try(policy.retention, null) == null ? 24 : max(try(policy.every_hours, 24), 24))
  }

  # LTS requires the name of an IAM user as the sender of notifications.
  user_name = try(coalesce(var.alarm.user_name, data.huaweicloud_account.this.username), null)

  # Describes the alarms about missing runs: the LTS search that finds the records of a run, and the interval in hours. Every
  # run writes a result record, even if it selects no resource. If no record appears during the interval, the timer has
  # therefore stopped. LTS ignores the delimiters in a phrase, so `#"policy nightly"` matches `"policy":"nightly"`.
  silences = merge(
    {
      for name, policy in var.policies : "${local.prefix}-policy-${name}-silent" => {
        keywords = "#\"function scheduled-snapshots\" and #\"action run\" and #\"policy ${name}\""
        hours    = try(policy.every_hours, 24)
      } if try(policy.schedule, null) != null && try(policy.every_hours, 24) > 0
    },
    {
      for name, policy in var.policies : "${local.prefix}-prune-${name}-silent" => {
        keywords = "#\"function prune-snapshots\" and #\"action run\" and #\"policy ${name}\""
        hours    = local.prune_hours[name]
      } if local.prune_hours[name] > 0 && (try(policy.retention, null) != null || var.delete_duplicates)
    },
    {
      for name in local.unpruned_functions : "${local.prefix}-prune-${name}-silent" => {
        keywords = "#\"function prune-snapshots\" and #\"action run\" and #\"policy ${name}\""
        hours    = 24
      } if var.delete_duplicates
    },
    {
      "${local.prefix}-verify-silent" = {
        keywords = "#\"function verify-snapshots\" and #\"action run\""
        hours    = 1
      }
    },
    {
      # A request to the API also writes the record of a run, so count only the runs of the timer.
      for name in local.coverage_functions : "${local.prefix}-coverage-silent" => {
        keywords = "#\"function ${name}\" and #\"action run\" and #\"trigger timer\""
        hours    = local.coverage_hours
      } if local.coverage_hours > 0
    },
  )
  coverage_hours = try(var.coverage.every_hours, 24)

  alarms = merge(
    {
      # Matches every record of a failed snapshot, deletion or run, and of a rejected request. Matches
      # every record with the outcome `unverified`. Matches the warning of scheduled-snapshots that a policy selects no
      # resource, and the warning of the timer of report-coverage that its tags select none. Matches the warnings of verify-snapshots and prune-snapshots that a deployed policy has no snapshot or that a
      # kind of snapshot that it needs cannot be listed: only these warnings contain the words "Deployment check"
      # (shared/snapshots/deployed-policies.ts). Matches their warnings "Unreadable rows" (shared/snapshots/list-by-kind.ts). Other warnings do not match, because their cause can be permanent, such as an id
      # in `hold` that no longer exists. LTS can show a record late, so each search covers 15 minutes, although a search runs every
      # 5 minutes.
      "${local.prefix}-failed" = {
        description    = "A snapshot or run failed, was rejected or is unverified, or a policy or report selects no resource, or a policy has no snapshot"
        keywords       = "#\"outcome failed\" or #\"outcome rejected\" or #\"outcome unverified\" or #\"function scheduled-snapshots\" and #\"level warn\" and #\"action run\" or #\"Deployment check\" and #\"level warn\" and #\"action run\" or #\"Unreadable rows\" and #\"level warn\" and #\"action run\" or #\"function report-coverage\" and #\"selected nothing\" and #\"action run\" and #\"trigger timer\""
        condition      = ">="
        range_unit     = "minute"
        range          = 15
        frequency      = "FIXED_RATE"
        rate_minutes   = 5
        hour_of_day    = null
        queries        = 1
        notify_minutes = 30
      }
    },
    {
      # Matches the records of report-coverage about a disk or cluster that has no good snapshot, or none since its last failures.
      # Each search covers the interval of the timer and one more hour, because LTS can show a record late. A search covers at most
      # 24 hours, so with a longer interval the alarm ends before the next report.
      for name in local.coverage_functions : "${local.prefix}-unprotected" => {
        description    = "A disk or cluster has no good snapshot, or every attempt since its last good snapshot failed"
        keywords       = "#\"action coverage\" and #\"outcome unprotected\" or #\"action coverage\" and #\"outcome failing\""
        condition      = ">="
        range_unit     = "hour"
        range          = local.coverage_hours > 0 ? min(local.coverage_hours + 1, 24) : 24
        frequency      = "HOURLY"
        rate_minutes   = null
        hour_of_day    = null
        queries        = 1
        notify_minutes = 360
      }
    },
    {
      # The alarm fires if no run wrote a result record during the interval. If the interval is at most 24 hours, LTS searches
      # the whole interval every hour, and the alarm fires if two consecutive searches find no record. If the interval is
      # longer, LTS searches the last 24 hours every day, because one search covers at most 24 hours. The alarm then fires if
      # several consecutive searches find no record. The number of these searches is the number of days in the interval, plus
      # one.
      for name, silence in local.silences : name => {
        description    = "No run wrote a result record within ${silence.hours} hours"
        keywords       = silence.keywords
        condition      = "<"
        range_unit     = "hour"
        range          = min(silence.hours, 24)
        frequency      = silence.hours <= 24 ? "HOURLY" : "DAILY"
        rate_minutes   = null
        hour_of_day    = silence.hours <= 24 ? null : 12
        queries        = silence.hours <= 24 ? 2 : ceil(silence.hours / 24) + 1
        notify_minutes = 360
      }
    },
  )
}

resource "huaweicloud_lts_keywords_alarm_rule" "this" {
  for_each = local.alarms

  name                        = each.key
  description                 = each.value.description
  alarm_level                 = "CRITICAL"
  send_notifications          = true
  send_recovery_notifications = true
  notification_frequency      = each.value.notify_minutes
  trigger_condition_count     = each.value.queries
  trigger_condition_frequency = each.value.queries

  keywords_requests {
    keywords               = each.value.keywords
    condition              = each.value.condition
    number                 = 1
    log_group_id           = huaweicloud_lts_group.this.id
    log_group_name         = huaweicloud_lts_group.this.group_name
    log_stream_id          = huaweicloud_lts_stream.results.id
    log_stream_name        = huaweicloud_lts_stream.results.stream_name
    search_time_range_unit = each.value.range_unit
    search_time_range      = each.value.range
  }

  frequency {
    type            = each.value.frequency
    hour_of_day     = each.value.hour_of_day
    fixed_rate_unit = each.value.rate_minutes == null ? null : "minute"
    fixed_rate      = each.value.rate_minutes
  }

  notification_save_rule {
    template_name = "keywords_template"
    user_name     = local.user_name
    language      = "en-us"

    topics {
      name      = local.topic_name
      topic_urn = local.topic_urn
    }
  }

  lifecycle {
    precondition {
      condition     = local.user_name != null
      error_message = "alarm.user_name: LTS sends notifications in the name of an IAM user, but the user that runs Terraform has no user name. To fix this, set `alarm.user_name` to the name of an IAM user."
    }
  }
}
