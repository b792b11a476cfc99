-- kstatus conventions: observedGeneration, then Reconciling, Stalled and Ready.
-- Argo CD gives a script no libraries but base, table and a safe os: hence no string.format.
local health = { status = "Progressing", message = "Waiting for the operator" }
if obj.status == nil or obj.status.conditions == nil then
  return health
end
local found = {}
for _, condition in ipairs(obj.status.conditions) do
  found[condition.type] = condition
end
local function holds(name)
  return found[name] ~= nil and found[name].status == "True"
end
if holds("Paused") then
  health.status = "Suspended"
  health.message = found["Paused"].message
  return health
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  health.message = "The operator has not seen the latest spec"
  return health
end
local why = found["Ready"]
if holds("Stalled") then
  health.status = "Degraded"
  why = found["Stalled"]
elseif holds("Reconciling") then
  why = found["Reconciling"]
elseif holds("Ready") then
  health.status = "Healthy"
end
if why ~= nil then
  health.message = why.reason .. ": " .. why.message
end
return health
