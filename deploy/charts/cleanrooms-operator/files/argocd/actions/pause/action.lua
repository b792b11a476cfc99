if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["cleanrooms-operator.dev/paused"] = "true"
return obj
