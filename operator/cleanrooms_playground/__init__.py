"""A place to try things: a real kube-apiserver with etcd, the demo, what tests share of them."""
