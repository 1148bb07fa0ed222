"""Reads many entries of a map state in one call to the JVM.

Flink's map state has ``putAll`` but no way to get many. PyFlink's thread mode gives the interpreter's lock away at every
call to Java and waits for its turn again: with other stages on the same interpreter that costs more than the read. So
Java itself is told to go through the keys: ``ArrayList.replaceAll`` with the state's ``get``, then ``toArray``, put
together with the method handles of its standard library.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["java_get_many"]


def java_get_many(state: Any) -> Callable[[list[str]], Sequence[bytes | None]] | None:  # noqa: ANN401
    """Return what reads entries by their keys, None for those that are not there.

    Parameters
    ----------
    state
        A map state with text keys, as PyFlink hands it out.

    Returns
    -------
    callable or None
        For the shard whose record is being handled, whichever that is. None where there is no JVM (tests).
    """
    java_state = getattr(state, "_state", None)
    if java_state is None:
        return None
    apply = _function(java_state).apply
    to_python = state._v_converter.to_internal  # noqa: SLF001

    def get_many(keys: list[str]) -> Sequence[bytes | None]:
        return [to_python(value) for value in apply(keys)]

    return get_many


def _function(java_state: Any) -> Any:  # noqa: ANN401
    """Return a java.util.function.Function from a list of keys to an array of values."""
    from pemja import findClass

    def named(name: str) -> Any:  # noqa: ANN401
        return findClass("java.lang.Class").forName(name)

    handles, proxies = findClass("java.lang.invoke.MethodHandles"), findClass("java.lang.invoke.MethodHandleProxies")
    # pemja dies where it has to choose among overloads of which one takes a variable number: so generic types, changed
    types = findClass("java.lang.invoke.MethodType")
    lookup = handles.publicLookup()
    array_list, operator = named("java.util.ArrayList"), named("java.util.function.UnaryOperator")
    nothing = named("java.lang.Void").getField("TYPE").get(None)
    objects = named("[Ljava.lang.Object;")

    map_state = named("org.apache.flink.api.common.state.MapState")
    get = lookup.findVirtual(map_state, "get", types.genericMethodType(1)).bindTo(java_state)
    replace_type = types.genericMethodType(1).changeReturnType(nothing).changeParameterType(0, operator)
    replace_all = lookup.findVirtual(array_list, "replaceAll", replace_type)
    read = handles.insertArguments(replace_all, 1, (proxies.asInterfaceInstance(operator, get),))
    to_array = lookup.findVirtual(array_list, "toArray", types.genericMethodType(0).changeReturnType(objects))
    whole = handles.foldArguments(to_array, read).asType(types.genericMethodType(1))
    return proxies.asInterfaceInstance(named("java.util.function.Function"), whole)
