namespace CcmFhir.Validation;

/// <summary>One resource inside a document.</summary>
/// <param name="Element">The resource.</param>
/// <param name="Holder">The resource it stands in; not there for the outermost.</param>
/// <param name="IsContained">Stands in <c>contained</c>.</param>
/// <param name="Entry">The Bundle entry that it is the resource of; not there otherwise.</param>
internal sealed record MappedResource(FhirElement Element, FhirElement Holder, bool IsContained, FhirElement Entry)
{
    public string Type { get; } = Element["resourceType"u8].Text ?? "";

    public string? Id { get; } = Element["id"u8].Text;

    public string? FullUrl { get; } = Entry["fullUrl"u8].Text;
}

/// <summary>Every resource of a document and what references between them point at. Built in one pass; every question is a look-up,
/// so that a Bundle of any size stays linear.</summary>
internal sealed class ResourceMap
{
    private readonly Dictionary<int, MappedResource> byIndex = [];
    private readonly Dictionary<int, Dictionary<string, FhirElement>> contained = [];
    private readonly Dictionary<(int Bundle, string FullUrl), FhirElement> byFullUrl = [];
    private readonly Dictionary<(int Bundle, string Type, string Id), FhirElement> byTypeAndId = [];

    public ResourceMap(FhirElement root)
    {
        var document = root.Document;
        for (var index = 0; index < document.Count; index++)
        {
            var element = new FhirElement(document, index);
            if (element.Kind == JsonKind.String && element.NameUtf8.SequenceEqual("resourceType"u8))
            {
                Add(element.Parent);
            }
        }
    }

    /// <summary>The resource at an element; null when it is not one.</summary>
    public MappedResource? At(FhirElement element) => element.Exists ? byIndex.GetValueOrDefault(element.Index) : null;

    /// <summary>Every resource, in document order of their <c>resourceType</c>.</summary>
    public IEnumerable<MappedResource> All => byIndex.Values;

    /// <summary>The nearest resource that an element stands in (itself, when it is one).</summary>
    public MappedResource? Around(FhirElement element)
    {
        for (var at = element; at.Exists; at = at.Parent)
        {
            if (byIndex.TryGetValue(at.Index, out var found))
            {
                return found;
            }
        }
        return null;
    }

    /// <summary>The resource that contained ones hang on: the one around, or the holder when that is contained itself.</summary>
    public MappedResource? Container(FhirElement element)
    {
        var around = Around(element);
        while (around is { IsContained: true } && At(around.Holder) is { } holder)
        {
            around = holder;
        }
        return around;
    }

    /// <summary>What a reference points at within the document; not there when it leads out or nowhere.</summary>
    public FhirElement Resolve(FhirElement from, string reference)
    {
        if (reference.Length == 0)
        {
            return default;
        }
        var around = Around(from);
        if (reference[0] == '#')
        {
            var container = Container(from);
            return container is null ? default
                : reference.Length == 1 ? container.Element
                : contained.GetValueOrDefault(container.Element.Index)?.GetValueOrDefault(reference[1..]) ?? default;
        }
        while (around is not null && around.IsContained)
        {
            around = At(around.Holder);
        }
        // From the entry outwards: a Bundle may stand in a Bundle.
        for (; around is not null; around = At(around.Holder))
        {
            if (around.Entry.Exists && InBundle(around, reference) is { Exists: true } found)
            {
                return found;
            }
        }
        return default;
    }

    /// <summary>Ids of the resources contained in the container around an element.</summary>
    public IEnumerable<string> ContainedIds(FhirElement from) =>
        Container(from) is { } container && contained.TryGetValue(container.Element.Index, out var ids) ? ids.Keys : [];

    /// <summary>True for <c>http:</c>, <c>urn:</c> and the like.</summary>
    public static bool IsAbsolute(string reference)
    {
        var colon = reference.IndexOf(':', StringComparison.Ordinal);
        return colon > 1
            && reference.AsSpan(0, colon).IndexOfAnyExceptInRange('a', 'z') < 0
            && reference.IndexOf('/', StringComparison.Ordinal) is var slash
            && (slash < 0 || slash > colon);
    }

    /// <summary>Type and id of <c>[base/]Type/id[/_history/version]</c>; null when it has another form.</summary>
    public static (string Type, string Id)? TypeAndId(string reference)
    {
        var history = reference.IndexOf("/_history/", StringComparison.Ordinal);
        var text = history < 0 ? reference : reference[..history];
        var slash = text.LastIndexOf('/');
        if (slash <= 0 || slash == text.Length - 1)
        {
            return null;
        }
        var before = text.LastIndexOf('/', slash - 1);
        var type = text[(before + 1)..slash];
        return type.Length > 0 && type[0] is >= 'A' and <= 'Z' && type.All(char.IsAsciiLetter)
            ? (type, text[(slash + 1)..])
            : null;
    }

    private FhirElement InBundle(MappedResource from, string reference)
    {
        var bundle = from.Holder.Index;
        var history = reference.IndexOf("/_history/", StringComparison.Ordinal);
        var plain = history < 0 ? reference : reference[..history];
        if (IsAbsolute(reference))
        {
            return byFullUrl.TryGetValue((bundle, reference), out var exact)
                ? exact
                : byFullUrl.GetValueOrDefault((bundle, plain));
        }
        // A relative reference is relative to the server that the entry's fullUrl names.
        if (
            from.FullUrl is { } fullUrl
            && IsAbsolute(fullUrl)
            && !fullUrl.StartsWith("urn:", StringComparison.Ordinal)
            && TypeAndId(fullUrl) is { } own
        )
        {
            var root = fullUrl[..(fullUrl.LastIndexOf(own.Type + "/" + own.Id, StringComparison.Ordinal))];
            return byFullUrl.GetValueOrDefault((bundle, root + plain));
        }
        return TypeAndId(plain) is { } target
            ? byTypeAndId.GetValueOrDefault((bundle, target.Type, target.Id))
            : default;
    }

    private void Add(FhirElement element)
    {
        if (byIndex.ContainsKey(element.Index))
        {
            // resourceType stands twice.
            return;
        }
        var above = element.Parent;
        var list = above.Kind == JsonKind.Array ? above : element;
        var isContained = above.Exists && list.NameUtf8.SequenceEqual("contained"u8);
        var isEntry = above.Exists && element.NameUtf8.SequenceEqual("resource"u8) && IsEntry(above);
        var holder = Around(above);
        var mapped = new MappedResource(element, holder?.Element ?? default, isContained, isEntry ? above : default);
        byIndex.Add(element.Index, mapped);
        if (holder is null)
        {
            return;
        }
        if (isContained && mapped.Id is { } id)
        {
            if (!contained.TryGetValue(holder.Element.Index, out var ids))
            {
                contained[holder.Element.Index] = ids = new Dictionary<string, FhirElement>(StringComparer.Ordinal);
            }
            ids.TryAdd(id, element);
        }
        if (isEntry)
        {
            if (mapped.FullUrl is { } fullUrl)
            {
                byFullUrl.TryAdd((holder.Element.Index, fullUrl), element);
            }
            if (mapped.Id is { } entryId)
            {
                byTypeAndId.TryAdd((holder.Element.Index, mapped.Type, entryId), element);
            }
        }
    }

    private static bool IsEntry(FhirElement element) =>
        element.Parent.Exists
        && element.Parent.NameUtf8.SequenceEqual("entry"u8)
        && element.Parent.Parent["resourceType"u8].Is("Bundle"u8);
}
