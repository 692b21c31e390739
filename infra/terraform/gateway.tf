resource "huaweicloud_apig_group" "this" {
  count = length(keys(local.http_functions)) > 0 ? 1 : 0

  instance_id           = var.gateway.instance_id
  name                  = local.prefix
  domain_access_enabled = true

  lifecycle {
    precondition {
      condition     = var.gateway != null
      error_message = "pre-deploy and the create functions are called over a dedicated API gateway: set gateway, or leave them out of functions."
    }
  }
}

resource "huaweicloud_apig_api" "this" {
  for_each = local.http_functions

  instance_id             = var.gateway.instance_id
  group_id                = huaweicloud_apig_group.this[0].id
  type                    = "Public"
  name                    = each.key
  request_protocol        = "HTTPS"
  request_method          = "POST"
  request_path            = "/${each.key}"
  matching                = "Exact"
  security_authentication = var.gateway.authentication
  simple_authentication   = var.gateway.authentication == "APP"

  # The same key is the same snapshot: it has to reach the function, whatever the gateway does with headers that it was not
  # told of. pre-deploy has its deployment_id and does not read it.
  request_params {
    name        = "Idempotency-Key"
    location    = "HEADER"
    required    = false
    passthrough = true
  }

  func_graph {
    function_urn    = huaweicloud_fgs_function.this[each.key].urn
    version         = "latest"
    network_type    = "V2"
    invocation_type = "sync"
    timeout         = 60000
  }
}

# A change of an API is in force once it is published again.
resource "huaweicloud_apig_api_publishment" "this" {
  for_each = local.http_functions

  instance_id = var.gateway.instance_id
  api_id      = huaweicloud_apig_api.this[each.key].id
  env_id      = "DEFAULT_ENVIRONMENT_RELEASE_ID"

  lifecycle {
    replace_triggered_by = [huaweicloud_apig_api.this[each.key]]
  }
}

# APP: the callers' application. The state holds its secret, and its app code once there is one, wherever that was made: the
# provider reads both back. infra/README.md says how the state is kept.
resource "huaweicloud_apig_application" "callers" {
  count = local.authentication == "APP" ? 1 : 0

  instance_id = var.gateway.instance_id
  name        = "${local.prefix}-callers"

  lifecycle {
    # Those that were made on the console: the next apply would take them away, as there are none in here.
    ignore_changes = [app_codes]
  }
}

resource "huaweicloud_apig_application_authorization" "callers" {
  count = local.authentication == "APP" ? 1 : 0

  instance_id    = var.gateway.instance_id
  application_id = huaweicloud_apig_application.callers[0].id
  env_id         = "DEFAULT_ENVIRONMENT_RELEASE_ID"
  api_ids        = [for name in keys(local.http_functions) : huaweicloud_apig_api.this[name].id]

  depends_on = [huaweicloud_apig_api_publishment.this]
}

# IAM: an access key of any account can call the APIs until this policy is bound to them, and it can be bound to a published
# API alone. The variable gateway.publish_with_iam therefore has to accept that.
resource "huaweicloud_apig_acl_policy" "account" {
  count = local.authentication == "IAM" ? 1 : 0

  instance_id = var.gateway.instance_id
  name        = "${local.prefix}_this_account"
  type        = "PERMIT"
  entity_type = "DOMAIN_ID"
  value       = data.huaweicloud_account.this.id
}

resource "huaweicloud_apig_acl_policy_associate" "account" {
  count = local.authentication == "IAM" ? 1 : 0

  instance_id = var.gateway.instance_id
  policy_id   = huaweicloud_apig_acl_policy.account[0].id
  publish_ids = [for name in keys(local.http_functions) : huaweicloud_apig_api_publishment.this[name].publish_id]
}
