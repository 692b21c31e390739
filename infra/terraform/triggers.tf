locals {
  # The policy as the functions take it: without what is only for this module.
  user_events = {
    for name, policy in var.policies : name => jsonencode(merge(
      { policy = name },
      { for field, value in policy : field => value if value != null && !contains(["schedule", "prune_schedule", "every_hours", "prune_every_hours"], field) },
    ))
  }

  timers = merge(
    {
      for name, policy in var.policies : "take_${replace(name, "-", "_")}" => {
        function   = "scheduled-snapshots"
        schedule   = "CRON_TZ=${coalesce(try(policy.time_zone, null), "UTC")} ${policy.schedule}"
        user_event = local.user_events[name]
      } if try(policy.schedule, null) != null
    },
    {
      for name, policy in var.policies : "prune_${replace(name, "-", "_")}" => {
        function   = "prune-snapshots"
        schedule   = "CRON_TZ=${coalesce(try(policy.time_zone, null), "UTC")} ${policy.prune_schedule}"
        user_event = local.user_events[name]
      } if try(policy.retention, null) != null
    },
    {
      # Every hour, over a day: a snapshot that takes long is seen at its end, one that failed is said again until it is old.
      verify = {
        function   = "verify-snapshots"
        schedule   = "CRON_TZ=UTC 0 15 * * * *"
        user_event = jsonencode({ lookback_minutes = 1440 })
      }
    },
  )

  # Base64 has four characters for three bytes: so many bytes, whatever the alphabet.
  user_event_bytes = {
    for name, timer in local.timers : name => floor(length(replace(base64encode(timer.user_event), "=", "")) * 3 / 4)
  }
}

resource "huaweicloud_fgs_function_trigger" "timer" {
  for_each = local.timers

  function_urn = huaweicloud_fgs_function.this[each.value.function].urn
  type         = "TIMER"
  status       = "ACTIVE"
  event_data = jsonencode({
    name          = each.key
    schedule_type = "Cron"
    schedule      = each.value.schedule
    user_event    = each.value.user_event
  })

  lifecycle {
    precondition {
      condition     = local.user_event_bytes[each.key] < 2048
      error_message = "The timer ${each.key} would hand over ${local.user_event_bytes[each.key]} bytes; FunctionGraph takes less than 2048. Select the policy's targets by tags instead of ids, or split the policy."
    }
  }
}

resource "huaweicloud_fgs_function_trigger" "attached" {
  for_each = { for name, one in local.deployed : name => one if one.trigger == "cts" }

  function_urn = huaweicloud_fgs_function.this[each.key].urn
  type         = "CTS"
  event_data = jsonencode({
    name       = "disk_attached"
    operations = ["ECS:ecs:attachVolume;attachVolumeV2;attachVolume2"]
  })
}
