terraform {
  required_version = ">= 1.5"

  required_providers {
    # `terraform init` writes the exact version and its hashes to .terraform.lock.hcl. Keep that file together with your values.
    huaweicloud = {
      source  = "huaweicloud/huaweicloud"
      version = "~> 1.97"
    }
  }
}

# The provider reads the credentials from HW_ACCESS_KEY and HW_SECRET_KEY. Do not write them to a file of this module.
provider "huaweicloud" {
  region       = var.region
  project_name = local.project
  cloud        = var.cloud
}
