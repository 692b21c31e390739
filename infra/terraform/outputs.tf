output "functions" {
  description = "The functions by name."
  value       = { for name, one in huaweicloud_fgs_function.this : name => one.urn }
}

output "paths" {
  description = "The paths of the HTTP functions, under the domain of the gateway's group."
  value       = { for name, one in huaweicloud_apig_api.this : name => one.request_path }
}

output "events" {
  description = "The event of each timer, to be pasted into its function's test on the console. The time is made up: put in one of today."
  value = { for name, timer in local.timers : name => jsonencode({
    version      = "v1.0"
    time         = "2026-11-21T02:00:00Z"
    trigger_type = "TIMER"
    trigger_name = name
    user_event   = timer.user_event
  }) }
}

output "results_log_group_id" {
  description = "The group of the stream with the result records."
  value       = huaweicloud_lts_group.this.id
}

output "results_log_stream_id" {
  description = "The stream with the result records."
  value       = huaweicloud_lts_stream.results.id
}

output "user_event_bytes" {
  description = "How long each policy is for its timers: less than 2048 bytes."
  value       = local.user_event_bytes
}
