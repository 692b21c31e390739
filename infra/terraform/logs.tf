resource "huaweicloud_lts_group" "this" {
  group_name            = local.prefix
  ttl_in_days           = var.log_days
  enterprise_project_id = var.enterprise_project_id
}

# What the functions print: their records too, and the platform's own lines.
resource "huaweicloud_lts_stream" "functions" {
  group_id              = huaweicloud_lts_group.this.id
  stream_name           = "function-logs"
  enterprise_project_id = var.enterprise_project_id
}

# The result records and nothing else: what the alarms read.
resource "huaweicloud_lts_stream" "results" {
  group_id              = huaweicloud_lts_group.this.id
  stream_name           = "results"
  enterprise_project_id = var.enterprise_project_id
}
