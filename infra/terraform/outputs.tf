output "functions" {
  description = "The URN of each deployed function, by function name."
  value       = { for name, one in huaweicloud_fgs_function.this : name => one.urn }
}

output "paths" {
  description = "The URL path of each HTTP function, by function name. The API group on the gateway console shows the domain."
  value       = { for name, one in huaweicloud_apig_api.this : name => one.request_path }
}

output "events" {
  description = "A sample event for each timer. Use the event to test the function on the FunctionGraph console. Set its field `time` to a time of today."
  value = { for name, timer in local.timers : name => jsonencode({
    version      = "v1.0"
    time         = "2026-11-21T02:00:00Z"
    trigger_type = "TIMER"
    trigger_name = name
    user_event   = timer.user_event
  }) }
}

output "results_log_group_id" {
  description = "The id of the LTS log group that contains the result records."
  value       = huaweicloud_lts_group.this.id
}

output "results_log_stream_id" {
  description = "The id of the LTS log stream that contains the result records."
  value       = huaweicloud_lts_stream.results.id
}

output "user_event_bytes" {
  description = "The size of each timer's `user_event` in bytes. FunctionGraph accepts fewer than 2048 bytes."
  value       = local.user_event_bytes
}
