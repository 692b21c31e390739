resource "huaweicloud_smn_topic" "alarms" {
  count = var.alarm.topic_urn == null ? 1 : 0

  name                  = "${local.prefix}-alarms"
  display_name          = "Snapshots"
  enterprise_project_id = var.enterprise_project_id
}

# It notifies nobody before the link in the first mail was opened.
resource "huaweicloud_smn_subscription" "alarms" {
  count = var.alarm.topic_urn == null ? 1 : 0

  topic_urn = huaweicloud_smn_topic.alarms[0].topic_urn
  protocol  = "email"
  endpoint  = var.alarm.email
}

locals {
  # urn:smn:{region}:{project_id}:{name}
  topic_urn  = coalesce(var.alarm.topic_urn, one(huaweicloud_smn_topic.alarms[*].topic_urn))
  topic_name = element(split(":", local.topic_urn), 4)

  # What is taken every hour is pruned once a day all the same.
  prune_hours = {
    for name, policy in var.policies :
    name => try(policy.prune_every_hours, try(policy.every_hours, 24) == 0 ? 0 : max(try(policy.every_hours, 24), 24))
  }

  # The user in whose name LTS notifies.
  user_name = try(coalesce(var.alarm.user_name, data.huaweicloud_account.this.username), null)

  # An alarm finds a record by its words: LTS takes a phrase as the words in it, in this order, whatever delimiters are
  # between them, so that `#"policy nightly"` is `"policy":"nightly"`.
  # The record of a run names its policy also when nothing was selected: what is silent is a timer that stopped.
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
      } if try(policy.retention, null) != null && local.prune_hours[name] > 0
    },
    {
      "${local.prefix}-verify-silent" = {
        keywords = "#\"function verify-snapshots\" and #\"action run\""
        hours    = 1
      }
    },
  )

  alarms = merge(
    {
      # A snapshot, a deletion or a run failed, an input was refused; a snapshot is stuck and did not become usable; or a
      # target of a policy selects nothing. Other runs warn of what may stay so, as of a kind that the region does not have.
      # It looks more often than what it looks at is long: a record that LTS shows late is seen by a later look.
      "${local.prefix}-failed" = {
        description    = "A record says failed, rejected or unverified, or a policy selects nothing"
        keywords       = "#\"level error\" or #\"outcome unverified\" or #\"function scheduled-snapshots\" and #\"level warn\" and #\"action run\""
        condition      = ">="
        range_unit     = "minute"
        range          = 15
        frequency      = "FIXED_RATE"
        rate_minutes   = 5
        hour_of_day    = null
        looks          = 1
        notify_minutes = 30
      }
    },
    {
      # Nothing was heard for a period. Up to a day: the last so many hours hold no record, found twice, an hour apart.
      # Longer: LTS looks back a day, so that so many daily looks in a row, and one more, found nothing.
      for name, silence in local.silences : name => {
        description    = "No run within ${silence.hours} hours"
        keywords       = silence.keywords
        condition      = "<"
        range_unit     = "hour"
        range          = min(silence.hours, 24)
        frequency      = silence.hours <= 24 ? "HOURLY" : "DAILY"
        rate_minutes   = null
        hour_of_day    = silence.hours <= 24 ? null : 12
        looks          = silence.hours <= 24 ? 2 : ceil(silence.hours / 24) + 1
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
  trigger_condition_count     = each.value.looks
  trigger_condition_frequency = each.value.looks

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
      error_message = "LTS notifies in the name of an IAM user, and who runs Terraform is none that has a name: set alarm.user_name."
    }
  }
}
