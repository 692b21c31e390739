# Deploys the bundles that `npm run build` wrote. If the content of a bundle has changed, `terraform plan` shows the change.
resource "huaweicloud_fgs_function" "this" {
  for_each = local.deployed

  name          = each.key
  app           = "default"
  description   = "snapshot-functions"
  runtime       = var.runtime
  handler       = "index.handler"
  memory_size   = each.value.memory
  timeout       = each.value.timeout
  code_type     = "zip"
  code_filename = "${each.key}.zip"
  func_code     = filebase64("${local.dist}/${each.key}.zip")
  user_data     = jsonencode(local.user_data[each.key])

  # `app_agency` authorizes the function's cloud calls. `agency` authorizes FunctionGraph to report a failed event.
  app_agency = huaweicloud_identity_agency.function[each.key].name
  agency     = huaweicloud_identity_agency.platform.name

  max_instance_num = each.value.max_instances

  enable_lts_log  = true
  log_group_id    = huaweicloud_lts_group.this.id
  log_group_name  = huaweicloud_lts_group.this.group_name
  log_stream_id   = huaweicloud_lts_stream.functions.id
  log_stream_name = huaweicloud_lts_stream.functions.stream_name

  enterprise_project_id = var.enterprise_project_id

  lifecycle {
    precondition {
      condition     = length(join("", concat(keys(local.user_data[each.key]), values(local.user_data[each.key])))) <= 4096
      error_message = "policies: The variables of ${each.key} would have more than 4096 characters, which is the limit of FunctionGraph. Use fewer policies or shorter names."
    }
  }
}

# If a function fails, FunctionGraph redelivers the event. A redelivery creates no duplicate snapshot. If the last retry fails,
# FunctionGraph notifies the alarm topic.
resource "huaweicloud_fgs_async_invoke_configuration" "this" {
  for_each = local.event_functions

  function_urn             = huaweicloud_fgs_function.this[each.key].urn
  max_async_retry_attempts = 2
  # If many disks are attached at once, an event of disk-attached can wait in the queue for hours, because the function
  # processes one event at a time.
  max_async_event_age_in_seconds = each.value.trigger == "cts" ? 86400 : 7200
  enable_async_status_log        = true

  on_failure {
    destination = "SMN"
    param       = jsonencode({ topic_urn = local.topic_urn })
  }
}
