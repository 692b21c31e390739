# The functions, as `npm run build` makes them. The provider compares the code itself, so a new build is seen.
resource "huaweicloud_fgs_function" "this" {
  for_each = local.deployed

  name          = each.key
  app           = "default"
  description   = "snapshot-functions"
  runtime       = var.runtime
  handler       = "index.handler"
  memory_size   = 128
  timeout       = each.value.timeout
  code_type     = "zip"
  code_filename = "${each.key}.zip"
  func_code     = filebase64("${local.dist}/${each.key}.zip")
  user_data     = jsonencode(local.variables)

  # What the function may do, and what the platform may do for it: report an event that failed.
  app_agency = huaweicloud_identity_agency.function[each.key].name
  agency     = huaweicloud_identity_agency.platform.name

  # disk-attached: one after the other, as two traces tell of one attachment and neither EVS nor DWS has a lock to take.
  max_instance_num = each.key == "disk-attached" ? "1" : null

  enable_lts_log  = true
  log_group_id    = huaweicloud_lts_group.this.id
  log_group_name  = huaweicloud_lts_group.this.group_name
  log_stream_id   = huaweicloud_lts_stream.functions.id
  log_stream_name = huaweicloud_lts_stream.functions.stream_name

  enterprise_project_id = var.enterprise_project_id
}

# An event whose invocation failed comes again, which is safe; after the last time somebody hears of it.
resource "huaweicloud_fgs_async_invoke_configuration" "this" {
  for_each = local.event_functions

  function_urn             = huaweicloud_fgs_function.this[each.key].urn
  max_async_retry_attempts = 2
  # disk-attached works on one event at a time: many disks attached at once wait for each other.
  max_async_event_age_in_seconds = each.value.trigger == "cts" ? 86400 : 7200
  enable_async_status_log        = true

  on_failure {
    destination = "SMN"
    param       = jsonencode({ topic_urn = local.topic_urn })
  }
}
