local prefix = "cleanrooms-operator.dev/"
local runs = { MLInputChannel = true, TrainedModel = true, InferenceJob = true }
local annotations = obj.metadata.annotations or {}
local paused = annotations[prefix .. "paused"] == "true" or annotations[prefix .. "paused-until"] ~= nil
local over = false
for _, condition in ipairs((obj.status or {}).conditions or {}) do
  local positive = condition.type == "Ready" or condition.type == "Succeeded"
  if condition.status == "True" and (positive or condition.type == "Failed") then
    over = true
  end
end
local cancelled = annotations[prefix .. "cancel"] == "true"
return {
  check = { displayName = "Check now", iconClass = "fa fa-fw fa-sync", disabled = paused },
  pause = { displayName = "Pause", iconClass = "fa fa-fw fa-pause", disabled = paused },
  resume = { displayName = "Resume", iconClass = "fa fa-fw fa-play", disabled = not paused },
  cancel = {
    displayName = "Cancel the run",
    iconClass = "fa fa-fw fa-stop",
    disabled = runs[obj.kind] == nil or over or cancelled,
  },
}
