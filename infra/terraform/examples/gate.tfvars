region             = "eu-west-101"
endpoints          = { dws = "https://dws.eu-west-101.myhuaweicloud.eu" }
disk_attached_kind = "standard-snapshot"
functions          = ["pre-deploy"]
gateway            = { instance_id = "<FILL IN>", kinds = ["standard-snapshot"] }
lts_endpoint       = "https://<FILL IN>:8102"
alarm              = { email = "fill-in@example.com" } # FILL IN
policies = {
  nightly = {
    schedule  = "0 0 2 * * *", prune_schedule = "0 30 4 * * *"
    targets   = [{ kind = "standard-snapshot", tags = { backup = "daily" } }]
    retention = { keep_daily = 7, keep_weekly = 4 }, dry_run = true
  }
  pre-deploy = { prune_schedule = "0 0 6 * * *", retention = { keep_last = 2, keep_within_days = 14 }, dry_run = true }
}
