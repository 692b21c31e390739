# Applies the module with the schema of the official provider, whose cloud calls are mocked. A mocked attribute that only the
# cloud can assign is a random string, unless this file defines it.

mock_provider "huaweicloud" {
  mock_data "huaweicloud_account" {
    defaults = {
      id                 = "0123456789abcdef0123456789abcdef"
      name               = "example"
      username           = "deployer"
      current_project_id = "0123456789abcdef0123456789abcdef"
    }
  }

  mock_resource "huaweicloud_smn_topic" {
    defaults = {
      topic_urn = "urn:smn:eu-west-101:0123456789abcdef0123456789abcdef:snapshots-alarms"
    }
  }
}

variables {
  region             = "eu-west-101"
  disk_attached_kind = "standard-snapshot"
  functions          = []
  lts_endpoint       = "https://lts-access.eu-west-101.myhuaweicloud.com:8102"
  alarm              = { email = "sre@example.org" }
}

# The same deployment as examples/minimal.tfvars: one nightly policy without a gateway.
run "minimal" {
  variables {
    policies = {
      nightly = {
        schedule       = "0 0 2 * * *"
        prune_schedule = "0 30 4 * * *"
        targets        = [{ kind = "standard-snapshot", tags = { backup = "daily" } }]
        retention      = { keep_daily = 7, keep_weekly = 4 }
        dry_run        = true
      }
    }
  }

  assert {
    condition     = join(",", keys(huaweicloud_fgs_function.this)) == "prune-snapshots,scheduled-snapshots,verify-snapshots"
    error_message = "expected the three timer functions, got ${join(", ", keys(huaweicloud_fgs_function.this))}."
  }

  assert {
    condition     = join(",", keys(huaweicloud_fgs_function_trigger.timer)) == "prune_nightly,take_nightly,verify"
    error_message = "expected three timers, got ${join(", ", keys(huaweicloud_fgs_function_trigger.timer))}."
  }

  assert {
    condition     = jsondecode(huaweicloud_fgs_function_trigger.timer["take_nightly"].event_data).schedule == "CRON_TZ=UTC 0 0 2 * * *"
    error_message = "The schedule of a policy without time_zone must be in UTC."
  }

  assert {
    condition     = jsondecode(jsondecode(huaweicloud_fgs_function_trigger.timer["take_nightly"].event_data).user_event).dry_run == true
    error_message = "The timer must send dry_run to the function."
  }

  assert {
    condition     = !can(jsondecode(jsondecode(huaweicloud_fgs_function_trigger.timer["take_nightly"].event_data).user_event).schedule)
    error_message = "The timer must not send schedule, because the function rejects this field."
  }

  assert {
    condition     = length(huaweicloud_apig_group.this) == 0 && length(huaweicloud_apig_api.this) == 0
    error_message = "A deployment without HTTP functions must have no API."
  }

  assert {
    condition     = length(huaweicloud_fgs_function.this) > 0 && alltrue([for one in values(huaweicloud_fgs_function.this) : one.app_agency != one.agency])
    error_message = "The agency of a function must not be the agency of FunctionGraph."
  }

  assert {
    condition     = length(huaweicloud_fgs_function.this) > 0 && alltrue([for one in values(huaweicloud_fgs_function.this) : one.runtime == "Node.js20.15" && one.handler == "index.handler"])
    error_message = "Every function must run on Node.js 20."
  }

  assert {
    condition     = jsondecode(huaweicloud_fgs_function.this["scheduled-snapshots"].user_data).PROJECT_ID == "0123456789abcdef0123456789abcdef"
    error_message = "PROJECT_ID must be the id of the project of the account."
  }

  assert {
    condition     = jsondecode(huaweicloud_fgs_function.this["scheduled-snapshots"].user_data).EVS_ENDPOINT == "https://evs.eu-west-101.myhuaweicloud.com"
    error_message = "The default endpoint must consist of service, region and cloud."
  }

  assert {
    condition     = !strcontains(huaweicloud_identity_role.function["verify-snapshots"].policy, "delete") && !strcontains(huaweicloud_identity_role.function["verify-snapshots"].policy, "create")
    error_message = "verify-snapshots must have read-only rights."
  }

  assert {
    condition     = !strcontains(huaweicloud_identity_role.function["scheduled-snapshots"].policy, "delete")
    error_message = "scheduled-snapshots must not have the right to delete, because no policy has make_room."
  }

  assert {
    condition     = contains(keys(huaweicloud_lts_keywords_alarm_rule.this), "snapshots-policy-nightly-silent")
    error_message = "An alarm must fire if the policy nightly stops to run."
  }

  assert {
    condition     = length(huaweicloud_smn_subscription.alarms) == 1
    error_message = "The e-mail address must subscribe to the alarm topic."
  }
}

# The same deployment as examples/gate.tfvars: callers of pre-deploy authenticate with an app code.
run "gate_with_app_authentication" {
  variables {
    functions = ["pre-deploy"]
    gateway   = { instance_id = "0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7", kinds = ["standard-snapshot"] }
    policies = {
      pre-deploy = { prune_schedule = "0 0 6 * * *", retention = { keep_last = 2, keep_within_days = 14 }, dry_run = true }
    }
  }

  assert {
    condition     = join(",", keys(huaweicloud_apig_api.this)) == "pre-deploy"
    error_message = "expected one API, got ${join(", ", keys(huaweicloud_apig_api.this))}."
  }

  assert {
    condition     = huaweicloud_apig_api.this["pre-deploy"].request_method == "POST" && huaweicloud_apig_api.this["pre-deploy"].request_protocol == "HTTPS"
    error_message = "The API of pre-deploy must accept only POST over HTTPS."
  }

  assert {
    condition     = huaweicloud_apig_api.this["pre-deploy"].security_authentication == "APP" && huaweicloud_apig_api.this["pre-deploy"].simple_authentication
    error_message = "Callers must be able to authenticate with an app code."
  }

  assert {
    condition     = length(huaweicloud_apig_application.callers) == 1 && length(huaweicloud_apig_application_authorization.callers) == 1
    error_message = "The application of the callers must be authorized."
  }

  assert {
    condition     = length(huaweicloud_apig_acl_policy.account) == 0
    error_message = "APP authentication needs no access policy."
  }

  assert {
    condition     = !strcontains(huaweicloud_identity_role.function["pre-deploy"].policy, "delete")
    error_message = "pre-deploy must not have the right to delete without gateway.make_room."
  }

  assert {
    condition     = join(",", keys(huaweicloud_fgs_function_trigger.timer)) == "prune_pre_deploy,verify"
    error_message = "expected two timers, got ${join(", ", keys(huaweicloud_fgs_function_trigger.timer))}."
  }

  assert {
    condition     = !contains(keys(huaweicloud_fgs_async_invoke_configuration.this), "pre-deploy")
    error_message = "FunctionGraph must not redeliver requests of the gateway."
  }
}

run "gate_with_iam_authentication" {
  variables {
    functions = ["pre-deploy", "create-snapshot", "report-coverage"]
    gateway   = { instance_id = "0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7", authentication = "IAM", publish_with_iam = true, make_room = true }
  }

  assert {
    condition     = length(huaweicloud_apig_api.this) > 0 && alltrue([for one in values(huaweicloud_apig_api.this) : one.security_authentication == "IAM" && !one.simple_authentication])
    error_message = "No API may accept an app code."
  }

  assert {
    condition     = huaweicloud_apig_acl_policy.account[0].type == "PERMIT" && huaweicloud_apig_acl_policy.account[0].value == "0123456789abcdef0123456789abcdef"
    error_message = "The access policy must permit only this account."
  }

  assert {
    condition     = length(huaweicloud_apig_acl_policy_associate.account[0].publish_ids) == 3
    error_message = "The access policy must be bound to every API."
  }

  assert {
    condition     = length(huaweicloud_apig_application.callers) == 0
    error_message = "IAM authentication needs no application."
  }

  assert {
    condition     = huaweicloud_apig_api.this["report-coverage"].request_method == "GET"
    error_message = "The API of report-coverage must accept only GET."
  }

  assert {
    condition     = strcontains(huaweicloud_identity_role.function["pre-deploy"].policy, "delete")
    error_message = "With gateway.make_room, pre-deploy must have the right to delete."
  }
}

run "two_policies" {
  variables {
    functions = ["disk-attached"]
    policies = {
      nightly = {
        schedule       = "0 0 2 * * *"
        prune_schedule = "0 30 4 * * *"
        time_zone      = "Europe/Berlin"
        targets        = [{ kind = "standard-snapshot", tags = { backup = "daily" } }]
        retention      = { keep_daily = 7 }
      }
      weekly-clusters = {
        schedule    = "0 0 4 * * 0"
        every_hours = 168
        targets     = [{ kind = "cluster-snapshot", tags = { backup = "weekly" } }]
      }
    }
  }

  assert {
    condition     = join(",", keys(huaweicloud_fgs_function_trigger.timer)) == "duplicates_disk_attached,prune_nightly,prune_weekly_clusters,take_nightly,take_weekly_clusters,verify"
    error_message = "expected six timers, got ${join(", ", keys(huaweicloud_fgs_function_trigger.timer))}."
  }

  assert {
    condition     = jsondecode(huaweicloud_fgs_function_trigger.timer["take_nightly"].event_data).schedule == "CRON_TZ=Europe/Berlin 0 0 2 * * *"
    error_message = "The schedule must be in the time zone of the policy."
  }

  assert {
    condition     = jsondecode(huaweicloud_fgs_function_trigger.timer["prune_weekly_clusters"].event_data).schedule == "CRON_TZ=UTC 0 40 3 * * *"
    error_message = "prune-snapshots must delete duplicates of a policy without a retention once a day."
  }

  assert {
    condition     = jsondecode(huaweicloud_fgs_function_trigger.attached["disk-attached"].event_data).operations == ["ECS:ecs:attachVolume;attachVolumeV2;attachVolume2"]
    error_message = "CTS must report attachments to disk-attached."
  }

  assert {
    condition     = keys(jsondecode(jsondecode(huaweicloud_fgs_function.this["verify-snapshots"].user_data).DEPLOYED_POLICIES)) == ["disk-attached", "nightly", "weekly-clusters"]
    error_message = "verify-snapshots must know every policy."
  }

  assert {
    condition     = huaweicloud_fgs_async_invoke_configuration.this["disk-attached"].max_async_event_age_in_seconds == 86400
    error_message = "An attachment must wait for up to a day."
  }

  assert {
    condition     = length(huaweicloud_fgs_async_invoke_configuration.this) > 0 && alltrue([for one in values(huaweicloud_fgs_async_invoke_configuration.this) : one.max_async_retry_attempts == 2])
    error_message = "FunctionGraph must deliver each event up to three times."
  }
}

run "alarms_to_an_existing_topic" {
  variables {
    functions = ["disk-attached", "report-coverage"]
    alarm     = { topic_urn = "urn:smn:eu-west-101:0123456789abcdef0123456789abcdef:on-call", user_name = "alarms" }
    coverage  = { max_age_hours = 48, time_zone = "Europe/Berlin" }
  }

  assert {
    condition     = length(huaweicloud_smn_topic.alarms) == 0 && length(huaweicloud_smn_subscription.alarms) == 0
    error_message = "With an existing topic, the module must create neither a topic nor a subscription."
  }

  assert {
    condition     = length(huaweicloud_lts_keywords_alarm_rule.this) > 0 && alltrue([for one in values(huaweicloud_lts_keywords_alarm_rule.this) : one.notification_save_rule[0].user_name == "alarms" && one.notification_save_rule[0].topics[0].topic_urn == "urn:smn:eu-west-101:0123456789abcdef0123456789abcdef:on-call"])
    error_message = "Every alarm must go to the existing topic, in the name of the user."
  }

  assert {
    condition     = jsondecode(huaweicloud_fgs_function_trigger.timer["coverage"].event_data).schedule == "CRON_TZ=Europe/Berlin 0 0 7 * * *"
    error_message = "The daily report must run at 07:00 in its time zone."
  }

  assert {
    condition     = length(huaweicloud_apig_api.this) == 0
    error_message = "Without a gateway, report-coverage must have no API."
  }
}
