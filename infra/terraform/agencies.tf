# One policy and one agency for each function, with the actions of the calls that it makes and nothing else.
resource "huaweicloud_identity_role" "function" {
  for_each = local.deployed

  name        = "${local.prefix}-${each.key}"
  description = "What ${each.key} calls"
  type        = "XA"
  policy = jsonencode({
    Version = "1.1"
    Statement = concat(
      [{
        Effect = "Allow"
        Action = [for action in local.granted[each.key] : action if !startswith(action, "functiongraph:")]
      }],
      # The only function that a function starts is itself.
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
  # FunctionGraph, as the provider writes services: `delegated_domain_name` would differ from what it reads back.
  delegated_service_name = "op_svc_cff"

  project_role {
    project = local.project
    roles   = [huaweicloud_identity_role.function[each.key].name]
  }
}

# What FunctionGraph itself does for the functions: report an event that was given up.
resource "huaweicloud_identity_role" "platform" {
  name        = "${local.prefix}-platform"
  description = "What FunctionGraph does for the snapshot functions"
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
