# Creates one policy and one agency for each function. The policy allows only the actions of the calls that the function makes.
resource "huaweicloud_identity_role" "function" {
  for_each = local.deployed

  name        = "${local.prefix}-${each.key}"
  description = "The cloud calls of ${each.key}"
  type        = "XA"
  policy = jsonencode({
    Version = "1.1"
    Statement = concat(
      [{
        Effect = "Allow"
        Action = [for action in local.granted[each.key] : action if !startswith(action, "functiongraph:")]
      }],
      # A function invokes no other function than itself.
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
  description = "snapshot-functions, ${each.key}"
  # The id of FunctionGraph. With `delegated_domain_name` the plan would show a change each time (SOURCES.md#terraform-agency).
  delegated_service_name = "op_svc_cff"

  project_role {
    project = local.project
    roles   = [huaweicloud_identity_role.function[each.key].name]
  }
}

# FunctionGraph itself uses this policy to report an event whose retries all failed.
resource "huaweicloud_identity_role" "platform" {
  name        = "${local.prefix}-platform"
  description = "What FunctionGraph itself calls for the snapshot functions"
  type        = "XA"
  policy = jsonencode({
    Version   = "1.1"
    Statement = [{ Effect = "Allow", Action = ["smn:topic:list", "smn:topic:publish"] }]
  })
}

resource "huaweicloud_identity_agency" "platform" {
  name                   = "${local.prefix}-platform"
  description            = "snapshot-functions, reports of failed events"
  delegated_service_name = "op_svc_cff"

  project_role {
    project = local.project
    roles   = concat([huaweicloud_identity_role.platform.name], var.platform_policies)
  }
}
