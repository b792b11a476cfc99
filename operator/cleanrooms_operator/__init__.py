"""The operator: reconciles AWS Clean Rooms resources declared in Kubernetes."""
