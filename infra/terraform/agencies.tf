# Creates one IAM policy and one agency for each function. The policy allows only the actions that the cloud calls of the
# function need.
resource "huaweicloud_identity_role" "function" {
  for_each = local.deployed

  name        = "${local.prefix}-${each.key}"
  description = "Allows the cloud calls of ${each.key}"
  type        = "XA"
  policy = jsonencode({
    Version = "1.1"
    Statement = concat(
      [{
        Effect = "Allow"
        Action = [for action in local.granted[each.key] : action if !startswith(action, "functiongraph:")]
      }],
      # A function may invoke only itself.
      [for action in local.granted[each.key] : {
        Effect   = "Allow"
        Action   = [action]
        Resource = ["FunctionGraph:*:*:function:default/${each.key}"]
      } if startswith(action, "functiongraph:")],
    )
  })
}

locals {
  granted = {
    for name, one in local.deployed :
    name => sort(distinct(flatten([for call in concat(one.calls, ["lts.reportLogs"]) : local.actions[call]])))
  }
}

resource "huaweicloud_identity_agency" "function" {
  for_each = local.deployed

  name        = "${local.prefix}-${each.key}"
  description = "Agency of the function ${each.key} (snapshot-functions)"
  # The service id of FunctionGraph. Do not set `delegated_domain_name` instead: every `terraform plan` would then show a change
  # (SOURCES.md#terraform-agency).
  delegated_service_name = "op_svc_cff"

  project_role {
    project = local.project
    roles   = [huaweicloud_identity_role.function[each.key].name]
  }
}

# Allows FunctionGraph itself to send a notification about a failed event. FunctionGraph sends it if the last retry of the event
# fails.
resource "huaweicloud_identity_role" "platform" {
  name        = "${local.prefix}-platform"
  description = "Allows FunctionGraph to report failed events of snapshot-functions"
  type        = "XA"
  policy = jsonencode({
    Version   = "1.1"
    Statement = [{ Effect = "Allow", Action = ["smn:topic:list", "smn:topic:publish"] }]
  })
}

resource "huaweicloud_identity_agency" "platform" {
  name                   = "${local.prefix}-platform"
  description            = "Allows FunctionGraph to report failed events (agency of snapshot-functions)"
  delegated_service_name = "op_svc_cff"

  project_role {
    project = local.project
    roles   = concat([huaweicloud_identity_role.platform.name], var.platform_policies)
  }
}
