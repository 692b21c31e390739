resource "huaweicloud_lts_group" "this" {
  group_name            = local.prefix
  ttl_in_days           = var.log_days
  enterprise_project_id = var.enterprise_project_id
}

# Receives everything that the functions print, including their result records, and the log lines of FunctionGraph itself.
resource "huaweicloud_lts_stream" "functions" {
  group_id              = huaweicloud_lts_group.this.id
  stream_name           = "function-logs"
  enterprise_project_id = var.enterprise_project_id
}

# Receives only the result records. The alarms read this stream.
resource "huaweicloud_lts_stream" "results" {
  group_id              = huaweicloud_lts_group.this.id
  stream_name           = "results"
  enterprise_project_id = var.enterprise_project_id
}
