using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.FhirPath;
using CcmFhir.Validation.Rules;

namespace CcmFhir.Validation;

/// <summary>A profile (or a type itself) ready to check resources. Immutable.</summary>
/// <param name="Structure">Its definition.</param>
/// <param name="Shape">What it demands: everything for a type, only what goes beyond its type for a profile.</param>
internal sealed record CompiledProfile(Structure Structure, Shape Shape)
{
    /// <summary>Canonical with the version when it has one.</summary>
    public string Canonical { get; } = Structure.ToString();
}

/// <summary>What is demanded of one value and of the properties below it: flat, found by property name.
/// The shape of a type holds all its properties and tells unknown ones; the shape of a profile holds only those that it says more about.</summary>
internal sealed class Shape
{
    /// <summary>Nothing is demanded.</summary>
    public static Shape Empty { get; } = new();

    /// <summary>The shape of a type: also judges JSON form, unknown and repeated properties.</summary>
    public bool IsType { get; init; }

    /// <summary>Type name for a resource type's own shape (it may hold <c>resourceType</c>); null otherwise.</summary>
    public string? ResourceType { get; init; }

    /// <summary>Path of the element with content of its own whose shape it is (<c>Questionnaire.item</c>); null otherwise.</summary>
    public string? Path { get; init; }

    /// <summary>Property names of the JSON, choice types and <c>_</c> siblings each on their own; same order as <see cref="Entries"/>.</summary>
    public NameTable Names { get; private set; } = new([]);

    public Entry[] Entries { get; private set; } = [];

    public Slot[] Slots { get; private set; } = [];

    /// <summary>Checks of the value itself.</summary>
    public ValueCheck[] Checks { get; private set; } = [];

    public bool IsEmpty => Slots.Length == 0 && Checks.Length == 0;

    /// <summary>Fills the shape, once, before anybody else sees it (a shape may hold itself: Questionnaire.item.item).</summary>
    public void Fill(IReadOnlyList<ValueCheck> checks, IReadOnlyList<Slot> slots)
    {
        var names = new List<string>();
        var entries = new List<Entry>();
        for (var slot = 0; slot < slots.Count; slot++)
        {
            var properties = slots[slot].PropertyNames;
            for (var type = 0; type < properties.Length; type++)
            {
                names.Add(properties[type]);
                entries.Add(new Entry(slot, type, IsSibling: false));
                if (slots[slot].Types[type].IsPrimitive)
                {
                    names.Add("_" + properties[type]);
                    entries.Add(new Entry(slot, type, IsSibling: true));
                }
            }
        }
        Names = new NameTable(names);
        Entries = [.. entries];
        Slots = [.. slots];
        Checks = [.. checks];
    }
}

/// <summary>Where a property name leads.</summary>
/// <param name="Slot">Index of the slot.</param>
/// <param name="Type">Index of the type in the slot.</param>
/// <param name="IsSibling">The name begins with an underscore: id and extensions of a primitive.</param>
internal readonly record struct Entry(int Slot, int Type, bool IsSibling);

/// <summary>One element of a shape: what may stand there and what is checked.</summary>
internal sealed class Slot
{
    /// <summary>Name in FHIRPath: <c>value</c> for <c>value[x]</c>.</summary>
    public required string Name { get; init; }

    /// <summary>JSON names, one for each of <see cref="Types"/>.</summary>
    public required string[] PropertyNames { get; init; }

    /// <summary>Types that the base definition allows here.</summary>
    public required TypeLink[] Types { get; init; }

    /// <summary>An array in JSON.</summary>
    public required bool IsArray { get; init; }

    /// <summary>Checks over all values together, run also when there are none.</summary>
    public required ListCheck[] ListChecks { get; init; }

    /// <summary>Checks of each value.</summary>
    public required ValueCheck[] ValueChecks { get; init; }

    /// <summary>What is said about the properties below; null when nothing (beyond the type).</summary>
    public Shape? Inner { get; init; }

    /// <summary>Nothing to check.</summary>
    public bool IsEmpty => ListChecks.Length == 0 && ValueChecks.Length == 0 && Inner is null or { IsEmpty: true };
}

/// <summary>A type by name, with its shape compiled when it is first needed.</summary>
internal sealed class TypeLink(string code, StructureKind kind, bool isAbstract, Func<string, Shape> compile)
{
    private Shape? shape;
    private TypeShape? forFhirPath;

    /// <summary>Type name; FHIRPath system types have been turned into FHIR's.</summary>
    public string Code => code;

    /// <summary>Which primitive; None for a complex type.</summary>
    public Primitive Primitive { get; } = Enum.TryParse<Primitive>(code, ignoreCase: true, out var it) ? it : default;

    public bool IsPrimitive => Primitive != Primitive.None;

    public bool IsResource => kind == StructureKind.Resource;

    /// <summary>Resource, DomainResource: the value says itself what it is.</summary>
    public bool IsAnyResource => IsResource && isAbstract;

    public Shape Shape => shape ??= compile(code);

    /// <summary>The same type as FHIRPath sees it.</summary>
    public TypeShape? ForFhirPath(TypeModel model) => forFhirPath ??= model.Find(code);
}

/// <summary>One value in its place: for a primitive, the JSON value and the object beside it that holds id and extensions.</summary>
/// <param name="Value">The value; not there when only the sibling is.</param>
/// <param name="Sibling">The value of the <c>_name</c> property; not there when absent or null.</param>
/// <param name="Type">Type that the place gives it; for a resource anywhere, the resource's own.</param>
internal readonly record struct Spot(FhirElement Value, FhirElement Sibling, TypeLink Type)
{
    /// <summary>What stands in the source.</summary>
    public FhirElement At => Value.Exists ? Value : Sibling;

    /// <summary>The object whose properties are the element's children.</summary>
    public FhirElement Object => Value.Kind == JsonKind.Object ? Value : Sibling;
}

/// <summary>All values of one slot.</summary>
internal readonly struct Occurrences(
    FhirElement owner,
    Slot slot,
    FhirElement value,
    FhirElement sibling,
    TypeLink type
)
{
    /// <summary>The object whose property it is.</summary>
    public FhirElement Owner => owner;

    public Slot Slot => slot;

    /// <summary>How many; a primitive that has only extensions counts.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            foreach (var _ in this)
            {
                count++;
            }
            return count;
        }
    }

    public Enumerator GetEnumerator() => new(value, sibling, type);

    /// <summary>Walks values and siblings in step.</summary>
    internal struct Enumerator(FhirElement value, FhirElement sibling, TypeLink type)
    {
        private FhirElement.ChildSequence.Enumerator values = value.Items.GetEnumerator();
        private FhirElement.ChildSequence.Enumerator siblings = sibling.Items.GetEnumerator();

        public Spot Current { get; private set; }

        public bool MoveNext()
        {
            while (true)
            {
                var hasValue = values.MoveNext();
                var hasSibling = siblings.MoveNext();
                if (!hasValue && !hasSibling)
                {
                    return false;
                }
                var one = hasValue && values.Current.Kind != JsonKind.Null ? values.Current : default;
                var beside = hasSibling && siblings.Current.Kind != JsonKind.Null ? siblings.Current : default;
                if (one.Exists || beside.Exists)
                {
                    Current = new Spot(one, beside, type);
                    return true;
                }
            }
        }
    }
}

/// <summary>One thing to check on a value.</summary>
internal abstract class ValueCheck
{
    public abstract void Check(Walk walk, in Spot spot);
}

/// <summary>One thing to check on all values of an element together.</summary>
internal abstract class ListCheck
{
    public abstract void Check(Walk walk, in Occurrences all);
}
