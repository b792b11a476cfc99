if obj.metadata.annotations ~= nil then
  obj.metadata.annotations["cleanrooms-operator.dev/paused"] = nil
  obj.metadata.annotations["cleanrooms-operator.dev/paused-until"] = nil
end
return obj
