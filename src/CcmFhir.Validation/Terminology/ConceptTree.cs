namespace CcmFhir.Validation.Terminology;

/// <summary>The concepts of one CodeSystem with what ValueSets may filter by. Immutable.</summary>
internal sealed class ConceptTree
{
    private readonly List<Concept> concepts = [];
    private readonly Dictionary<string, int> indexes;
    private readonly List<List<int>> parents = [];
    private readonly List<List<int>> children = [];

    /// <param name="json">The CodeSystem.</param>
    /// <param name="supplements">CodeSystems that add properties and designations to it.</param>
    public ConceptTree(FhirElement json, IEnumerable<FhirElement> supplements)
    {
        // A code system that does not say that case matters is taken as one where it does not.
        IgnoresCase = json["caseSensitive"u8].Kind != JsonKind.True;
        indexes = new(IgnoresCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        IsWhole = json["content"u8].Is("complete"u8);
        var open = new Stack<(FhirElement Concepts, int Parent)>();
        open.Push((json["concept"u8], -1));
        while (open.TryPop(out var level))
        {
            if (!level.Concepts.Exists)
            {
                continue;
            }
            foreach (var item in level.Concepts.Items)
            {
                if (item["code"u8].Text is { } code)
                {
                    var index = Add(new Concept(code, item["display"u8], item["property"u8]));
                    Link(index, level.Parent);
                    open.Push((item["concept"u8], index));
                }
            }
        }
        foreach (var supplement in supplements)
        {
            AddProperties(supplement["concept"u8]);
        }
        for (var index = 0; index < concepts.Count; index++)
        {
            foreach (var (property, value) in Properties(index))
            {
                // v3 systems call it subsumedBy.
                if (
                    property is "parent" or "subsumedBy"
                    && value is not null
                    && indexes.TryGetValue(value, out var parent)
                )
                {
                    Link(index, parent);
                }
                else if (property is "child" && value is not null && indexes.TryGetValue(value, out var child))
                {
                    Link(child, index);
                }
            }
        }
    }

    /// <summary>Case of ASCII letters makes no difference.</summary>
    public bool IgnoresCase { get; }

    /// <summary>Every concept of the system is here.</summary>
    public bool IsWhole { get; }

    /// <summary>The codes in document order, level by level.</summary>
    public IEnumerable<string> CodeList => concepts.Select(concept => concept.Code);

    /// <summary>How many concepts.</summary>
    public int Count => concepts.Count;

    public string Code(int index) => concepts[index].Code;

    public string? Display(int index) => concepts[index].Display.Text;

    public int IndexOf(string code) => indexes.GetValueOrDefault(code, -1);

    /// <summary>Properties with their values as text; the value of a Coding is its code.</summary>
    public IEnumerable<(string Property, string? Value)> Properties(int index)
    {
        foreach (var source in concepts[index].Properties)
        {
            foreach (var item in source.Exists ? Items(source) : [])
            {
                var value = item.FirstOrDefault(child => child.NameUtf8.StartsWith("value"u8));
                yield return (
                    item.FirstOrDefault(child => child.NameUtf8.SequenceEqual("code"u8)) is { Exists: true } code
                        ? code.Text ?? ""
                        : "",
                    value.Exists ? value.Text ?? value["code"u8].Text : null
                );
            }
        }
    }

    /// <summary>Not for use any more.</summary>
    public bool IsInactive(int index) =>
        Properties(index)
            .Any(property =>
                property
                    is
                        ("inactive", "true")
                        or
                        ("status", "retired" or "inactive" or "R" or "I" or "entered-in-error")
            );

    /// <summary>The concept and everything below it, in no particular order.</summary>
    public HashSet<int> Below(int index) => Reach(index, children);

    /// <summary>The concept and everything above it.</summary>
    public HashSet<int> Above(int index) => Reach(index, parents);

    public IReadOnlyList<int> Children(int index) => children[index];

    private static HashSet<int> Reach(int start, List<List<int>> links)
    {
        var reached = new HashSet<int> { start };
        var open = new Stack<int>([start]);
        while (open.TryPop(out var at))
        {
            foreach (var next in links[at])
            {
                if (reached.Add(next))
                {
                    open.Push(next);
                }
            }
        }
        return reached;
    }

    private static List<List<FhirElement>> Items(FhirElement array)
    {
        var items = new List<List<FhirElement>>();
        foreach (var item in array.Items)
        {
            var children = new List<FhirElement>();
            foreach (var child in item.Children)
            {
                children.Add(child);
            }
            items.Add(children);
        }
        return items;
    }

    private int Add(Concept concept)
    {
        if (!indexes.TryGetValue(concept.Code, out var index))
        {
            index = concepts.Count;
            indexes[concept.Code] = index;
            concepts.Add(concept);
            parents.Add([]);
            children.Add([]);
        }
        return index;
    }

    private void Link(int child, int parent)
    {
        if (parent >= 0 && child != parent && !parents[child].Contains(parent))
        {
            parents[child].Add(parent);
            children[parent].Add(child);
        }
    }

    private void AddProperties(FhirElement added)
    {
        if (!added.Exists)
        {
            return;
        }
        foreach (var item in added.Items)
        {
            if (item["code"u8].Text is { } code && indexes.TryGetValue(code, out var index))
            {
                concepts[index] = concepts[index] with
                {
                    Properties = [.. concepts[index].Properties, item["property"u8]],
                };
            }
            AddProperties(item["concept"u8]);
        }
    }

    private sealed record Concept(string Code, FhirElement Display, FhirElement[] Properties)
    {
        public Concept(string code, FhirElement display, FhirElement properties)
            : this(code, display, [properties]) { }
    }
}
