"""The scripts for Argo CD, run as it runs them: Lua 5.1 with base, table and a safe os alone."""

from functools import cache
from pathlib import Path
from typing import Any

from lupa.lua51 import LuaRuntime

from cleanrooms_playground import helm

FOLDER = Path(__file__).parents[1] / helm.ARGOCD

Document = dict[str, Any]

SAFE = """
for _, name in ipairs({"string", "math", "io", "coroutine", "debug", "dofile", "loadfile"}) do
  _G[name] = nil
  package.loaded[name] = nil
end
local safe = { date = os.date, time = os.time }
os = nil
package.loaded["os"] = safe
getmetatable("").__index = nil
"""


@cache
def script(name: str) -> str:
    return (FOLDER / name).read_text()


def run(source: str, document: Document) -> Any:
    """Return what a script makes of an object, which it sees as `obj`."""
    lua = LuaRuntime(unpack_returned_tuples=True, register_eval=False, register_builtins=False)  # type: ignore[call-arg]  # its types lack an argument
    lua.execute(SAFE)
    lua.globals().obj = lua.table_from(document, recursive=True)
    return plain(lua.execute(source))


def plain(value: Any) -> Any:
    """Return a table as what it stands for: a list if all its keys are numbers."""
    if not hasattr(value, "items"):
        return value
    entries = {key: plain(each) for key, each in value.items()}
    if entries and all(isinstance(key, int) for key in entries):
        return [entries[key] for key in sorted(entries)]
    return entries


def health(document: Document) -> Document:
    """Return Argo CD's verdict: `status` and `message`."""
    verdict: Document = run(script("health.lua"), document)
    return verdict


def discovered(document: Document) -> dict[str, Document]:
    """Return the actions that are offered, by their names."""
    actions: dict[str, Document] = run(script("actions/discovery.lua"), document)
    return actions


def action(name: str, document: Document) -> Document:
    """Return the object after an action."""
    changed: Document = run(script(f"actions/{name}/action.lua"), document)
    return changed


def kstatus(document: Document) -> str:
    """Return the verdict of kstatus, which Flux and Helm go by.

    After `status.go` and `generic.go` of sigs.k8s.io/cli-utils, in their order: deletion,
    generation, the abnormal conditions in the order of the list, Ready.
    """
    metadata, status = document["metadata"], document.get("status", {})
    if "deletionTimestamp" in metadata:
        return "Terminating"
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return "InProgress"
    conditions = status.get("conditions", [])
    for condition in conditions:
        if condition["status"] == "True" and condition["type"] in {"Reconciling", "Stalled"}:
            return {"Reconciling": "InProgress", "Stalled": "Failed"}[condition["type"]]
    ready = [each["status"] for each in conditions if each["type"] == "Ready"]
    return "InProgress" if ready and ready[0] != "True" else "Current"
