"""The edge towards Kubernetes."""
