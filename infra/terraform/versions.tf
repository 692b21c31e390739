terraform {
  required_version = ">= 1.5"

  required_providers {
    # `terraform init` writes the exact version and its hashes into .terraform.lock.hcl: keep that file with your values.
    huaweicloud = {
      source  = "huaweicloud/huaweicloud"
      version = "~> 1.97"
    }
  }
}

# Credentials come from HW_ACCESS_KEY and HW_SECRET_KEY, never from a file in here.
provider "huaweicloud" {
  region       = var.region
  project_name = local.project
  cloud        = var.cloud
}
