output "functions" {
  description = "The URN of each function by name."
  value       = { for name, one in huaweicloud_fgs_function.this : name => one.urn }
}

output "paths" {
  description = "The path of each HTTP function. The domain is that of the gateway's group."
  value       = { for name, one in huaweicloud_apig_api.this : name => one.request_path }
}

output "events" {
  description = "The event of each timer, for a test of its function on the console. Replace the time with one of today."
  value = { for name, timer in local.timers : name => jsonencode({
    version      = "v1.0"
    time         = "2026-11-21T02:00:00Z"
    trigger_type = "TIMER"
    trigger_name = name
    user_event   = timer.user_event
  }) }
}

output "results_log_group_id" {
  description = "The id of the log group with the result records."
  value       = huaweicloud_lts_group.this.id
}

output "results_log_stream_id" {
  description = "The id of the log stream with the result records."
  value       = huaweicloud_lts_stream.results.id
}

output "user_event_bytes" {
  description = "The size of each timer's event in bytes. FunctionGraph accepts less than 2048 bytes."
  value       = local.user_event_bytes
}
