if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["cleanrooms-operator.dev/cancel"] = "true"
return obj
