terraform {
  required_version = ">= 1.5"

  required_providers {
    # `terraform init` writes the exact provider version and its hashes to .terraform.lock.hcl. Keep that file with your tfvars.
    huaweicloud = {
      source  = "huaweicloud/huaweicloud"
      version = "~> 1.96"
    }
  }
}

# The provider reads the credentials from HW_ACCESS_KEY and HW_SECRET_KEY. Do not write credentials to a file in this module.
provider "huaweicloud" {
  region       = var.region
  project_name = local.project
  cloud        = var.cloud
}
