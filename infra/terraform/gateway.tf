resource "huaweicloud_apig_group" "this" {
  count = length(keys(local.http_functions)) > 0 ? 1 : 0

  instance_id           = var.gateway.instance_id
  name                  = local.prefix
  domain_access_enabled = true

  lifecycle {
    precondition {
      condition     = var.gateway != null
      error_message = "pre-deploy and the create functions need a dedicated API gateway, but the variable `gateway` is not set. Set this variable, or remove these functions from the variable `functions`."
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
  request_method          = each.value.method
  request_path            = "/${each.key}"
  matching                = "Exact"
  security_authentication = var.gateway.authentication
  simple_authentication   = var.gateway.authentication == "APP"

  # Declare the header `Idempotency-Key` and the query parameters, because the gateway may drop what is not declared. The create
  # functions recognize a repeated request by this header. pre-deploy ignores the header and recognizes a repeated request by its
  # deployment_id. An API with the method GET has query parameters and no such header.
  dynamic "request_params" {
    for_each = {
      for name in concat(each.value.parameters, each.value.method == "GET" ? [] : ["Idempotency-Key"]) :
      name => contains(each.value.parameters, name) ? "QUERY" : "HEADER"
    }

    content {
      name        = request_params.key
      location    = request_params.value
      required    = false
      passthrough = true
    }
  }

  func_graph {
    function_urn    = huaweicloud_fgs_function.this[each.key].urn
    version         = "latest"
    network_type    = "V2"
    invocation_type = "sync"
    timeout         = 60000
  }
}

# Publishes an API again after each change, because the change has no effect before.
resource "huaweicloud_apig_api_publishment" "this" {
  for_each = local.http_functions

  instance_id = var.gateway.instance_id
  api_id      = huaweicloud_apig_api.this[each.key].id
  env_id      = "DEFAULT_ENVIRONMENT_RELEASE_ID"

  lifecycle {
    replace_triggered_by = [huaweicloud_apig_api.this[each.key]]
  }
}

# The gateway application that callers use with APP authentication. Terraform's state contains the secret and the app codes of
# the application, even app codes that were created on the console, because the provider reads them. infra/README.md describes
# how to protect the state.
resource "huaweicloud_apig_application" "callers" {
  count = local.authentication == "APP" ? 1 : 0

  instance_id = var.gateway.instance_id
  name        = "${local.prefix}-callers"

  lifecycle {
    # Without `ignore_changes`, the next apply would delete the app codes that were created on the console.
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

# Allows only access keys of this account to call the APIs with IAM authentication. Terraform must publish an API before it can
# bind this policy to the API. Between these two steps, an access key of any account can call the API. A user accepts this risk
# with the field `publish_with_iam` of the variable `gateway`.
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
