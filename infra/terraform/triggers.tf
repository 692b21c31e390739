locals {
  # The user_event of each policy: the policy without the fields that only this Terraform module or an editor reads.
  user_events = {
    for name, policy in var.policies : name => jsonencode(merge(
      { policy = name },
      { for field, value in policy : field => value if value != null && !contains(["schedule", "prune_schedule", "every_hours", "prune_every_hours", "$schema"], field) },
    ))
  }

  # The schedules of the policies that create snapshots. A policy with dry_run creates none.
  take_schedules = {
    for name, schedule in local.timer_schedules : name => schedule if try(var.policies[name].dry_run, false) != true
  }
  timer_schedules = {
    for name, policy in var.policies : name => "CRON_TZ=${coalesce(try(policy.time_zone, null), "UTC")} ${policy.schedule}"
    if try(policy.schedule, null) != null
  }

  # The schedule of a timer that only deletes duplicates: once a day.
  duplicates_schedule = "CRON_TZ=UTC 0 40 3 * * *"

  # The deployed functions whose snapshots no policy prunes. The snapshots of a function belong to the policy with the name of the
  # function.
  unpruned_functions = [for name in local.creators : name if !contains(keys(var.policies), name)]

  # The timers of prune-snapshots. Without a retention, prune-snapshots only deletes duplicates.
  prune_timers = merge(
    {
      for name, policy in var.policies : "prune_${replace(name, "-", "_")}" => {
        function   = "prune-snapshots"
        schedule   = try(policy.prune_schedule, null) == null ? local.duplicates_schedule : "CRON_TZ=${coalesce(try(policy.time_zone, null), "UTC")} ${policy.prune_schedule}"
        user_event = local.user_events[name]
      } if try(policy.retention, null) != null || var.delete_duplicates
    },
    {
      for name in local.unpruned_functions : "duplicates_${replace(name, "-", "_")}" => {
        function   = "prune-snapshots"
        schedule   = local.duplicates_schedule
        user_event = jsonencode({ policy = name })
      } if var.delete_duplicates
    },
  )

  timers = merge(
    {
      for name, schedule in local.timer_schedules : "take_${replace(name, "-", "_")}" => {
        function   = "scheduled-snapshots"
        schedule   = schedule
        user_event = local.user_events[name]
      }
    },
    local.prune_timers,
    {
      # Runs every hour and checks the snapshots that were created or changed in the last 24 hours. If a snapshot failed, every
      # run reports the failure for 24 hours.
      verify = {
        function   = "verify-snapshots"
        schedule   = "CRON_TZ=UTC 0 15 * * * *"
        user_event = jsonencode({ lookback_minutes = 1440 })
      }
    },
    {
      for name in local.coverage_functions : "coverage" => {
        function   = name
        schedule   = "CRON_TZ=${coalesce(try(var.coverage.time_zone, null), "UTC")} ${coalesce(try(var.coverage.schedule, null), "0 0 7 * * *")}"
        user_event = jsonencode({ for field, value in var.coverage : field => value if value != null && !contains(["schedule", "time_zone", "every_hours"], field) })
      }
    },
  )

  # Contains report-coverage if it is deployed.
  coverage_functions = [for name in var.functions : name if name == "report-coverage"]

  # Computes the size of the user_event in UTF-8 bytes. Terraform has no function for the size, so the module uses the base64
  # encoding, which has four characters for every three bytes.
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
      error_message = "The event of the timer ${each.key} has ${local.user_event_bytes[each.key]} bytes, but FunctionGraph accepts fewer than 2048. Select resources by tags instead of ids, or split the policy into several policies."
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
