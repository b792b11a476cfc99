"""The edge towards AWS: boto3 in threads, behind the `Service` port."""
