using CcmFhir.Fhir;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>How the entries of a Bundle hang together.</summary>
internal enum BundleKind
{
    /// <summary>All or nothing.</summary>
    Transaction,

    /// <summary>Each for itself.</summary>
    Batch,

    /// <summary>Each for itself, as creates and updates with the ids given (ours; R4 leaves it open).</summary>
    Collection,
}

/// <summary>A Bundle read into entries; faults of an entry stand at the entry.</summary>
/// <param name="Kind">How they hang together.</param>
/// <param name="Entries">In the client's order.</param>
internal sealed record BundleRequest(BundleKind Kind, IReadOnlyList<Entry> Entries)
{
    /// <summary>Most entries in one Bundle, inclusive.</summary>
    public const int MaxEntries = 10_000;

    /// <summary>Reads a Bundle. Null, with a refusal, when it is none that we take.</summary>
    public static BundleRequest? Read(FhirElement bundle, LocalBases bases, out Refusal? refusal)
    {
        refusal = null;
        var type = bundle["type"u8];
        BundleKind? kind =
            type.Is("transaction"u8) ? BundleKind.Transaction
            : type.Is("batch"u8) ? BundleKind.Batch
            : type.Is("collection"u8) ? BundleKind.Collection
            : null;
        if (kind is null)
        {
            refusal = type.Exists
                ? Refusal.Of(
                    400,
                    "not-supported",
                    "bundle-type",
                    $"A Bundle of type '{Shown(type)}' is not taken here. Send type transaction, batch or collection; store any other Bundle by POST to /Bundle.",
                    "Bundle.type",
                    type
                )
                : Refusal.Of(
                    400,
                    "required",
                    "bundle-type",
                    "The Bundle says no type. Give type transaction (all or nothing), batch or collection.",
                    "Bundle.type",
                    bundle
                );
            return null;
        }
        var list = bundle["entry"u8];
        if (list.Exists && list.Kind != JsonKind.Array)
        {
            refusal = Refusal.Of(
                400,
                "structure",
                "bundle-entry",
                "Bundle.entry is an array of objects.",
                "Bundle.entry",
                list
            );
            return null;
        }
        var strange = new List<Issue>();
        Strange(bundle, BundleNames, "Bundle", strange);
        var entries = new List<Entry>();
        foreach (var element in list.Children)
        {
            if (entries.Count == MaxEntries)
            {
                refusal = Refusal.Of(
                    413,
                    "too-long",
                    "bundle-entries",
                    $"The Bundle has more than {MaxEntries} entries. Send it in parts of at most {MaxEntries}.",
                    "Bundle.entry",
                    list
                );
                return null;
            }
            entries.Add(ReadEntry(element, entries.Count, kind.Value, bases));
        }
        if (strange.Count > 0)
        {
            refusal = new Refusal(400, strange);
            return null;
        }
        return new BundleRequest(kind.Value, entries);
    }

    private static Entry ReadEntry(FhirElement element, int index, BundleKind kind, LocalBases bases)
    {
        var resource = element["resource"u8];
        var entry = new Entry
        {
            Index = index,
            FullUrl = element["fullUrl"u8].Text,
            Resource = resource,
            FromCollection = kind == BundleKind.Collection,
        };
        if (element.Kind != JsonKind.Object)
        {
            entry.Refuse(400, "structure", "bundle-entry", "An entry is an object.", entry.Path, element);
            return entry;
        }
        var strange = new List<Issue>();
        Strange(element, EntryNames, entry.Path, strange);
        if (resource.Exists && resource.Kind != JsonKind.Object)
        {
            entry.Refuse(
                400,
                "structure",
                "bundle-resource",
                "entry.resource is an object.",
                entry.ResourcePath,
                resource
            );
            return entry;
        }
        if (kind == BundleKind.Collection)
        {
            ReadCollected(entry, resource, element);
        }
        else
        {
            ReadRequest(entry, element, bases, strange);
        }
        foreach (var issue in strange)
        {
            entry.Refuse(400, issue);
        }
        return entry;
    }

    private static void ReadCollected(Entry entry, FhirElement resource, FhirElement element)
    {
        if (!resource.Exists)
        {
            entry.Refuse(
                400,
                "required",
                "bundle-resource",
                "An entry of a collection holds a resource.",
                entry.ResourcePath,
                element
            );
            return;
        }
        if (ResourceTypeOf(entry) is not { } type)
        {
            return;
        }
        entry.Type = type;
        entry.Id = resource["id"u8].Text;
        entry.Verb = entry.Id is null ? Verb.Post : Verb.Put;
        if (entry.Id is not null && !LogicalId.IsValid(entry.Id))
        {
            entry.Refuse(400, "value", "id-format", LogicalId.Rule, entry.ResourcePath + ".id", resource["id"u8]);
        }
    }

    private static void ReadRequest(Entry entry, FhirElement element, LocalBases bases, List<Issue> strange)
    {
        var request = element["request"u8];
        if (request.Kind != JsonKind.Object)
        {
            entry.Refuse(
                400,
                "required",
                "bdl-3",
                "An entry of a transaction or batch says what to do: give request.method and request.url.",
                entry.Path + ".request",
                request.Exists ? request : element
            );
            return;
        }
        Strange(request, RequestNames, entry.Path + ".request", strange);
        entry.IfMatch = request["ifMatch"u8].Text;
        entry.IfNoneMatch = request["ifNoneMatch"u8].Text;
        entry.IfModifiedSince = request["ifModifiedSince"u8].Text;
        entry.IfNoneExist = request["ifNoneExist"u8].Text;
        var method = request["method"u8];
        Verb? verb = method.Text switch
        {
            "GET" or "HEAD" => Verb.Get,
            "POST" => Verb.Post,
            "PUT" => Verb.Put,
            "PATCH" => Verb.Patch,
            "DELETE" => Verb.Delete,
            _ => null,
        };
        if (verb is null)
        {
            entry.Refuse(
                400,
                "value",
                "bundle-method",
                "request.method is GET, HEAD, POST, PUT, PATCH or DELETE.",
                entry.Path + ".request.method",
                method.Exists ? method : request
            );
            return;
        }
        entry.Verb = verb.Value;
        var url = request["url"u8];
        if (url.Text is not { Length: > 0 } address)
        {
            entry.Refuse(
                400,
                "required",
                "bundle-url",
                "request.url says what the entry is about, such as Patient or Patient/123.",
                entry.Path + ".request.url",
                url.Exists ? url : request
            );
            return;
        }
        ReadUrl(entry, (bases.Relative(address) ?? address).TrimStart('/'), url);
    }

    private static void ReadUrl(Entry entry, string address, FhirElement url)
    {
        var expression = entry.Path + ".request.url";
        var question = address.IndexOf('?', StringComparison.Ordinal);
        var path = question < 0 ? address : address[..question];
        var query = question < 0 ? null : address[(question + 1)..];
        var segments = path.Split('/');
        if (ResourceTypes.Find(segments[0]) is not { } type)
        {
            entry.Refuse(
                segments[0].Contains(':', StringComparison.Ordinal) ? 400 : 404,
                "not-supported",
                "resource-type",
                UnknownType(segments[0]),
                expression,
                url
            );
            return;
        }
        entry.Type = type;
        if (entry.Verb == Verb.Get)
        {
            entry.Criteria = address;
            return;
        }
        if (segments.Length > 2 || (segments.Length == 2 && !LogicalId.IsValid(segments[1])))
        {
            entry.Refuse(
                400,
                "value",
                "bundle-url",
                $"request.url of a {Name(entry.Verb)} is {type}, {type}/id or {type}?criteria. {LogicalId.Rule}",
                expression,
                url
            );
            return;
        }
        entry.Id = segments.Length == 2 ? segments[1] : null;
        entry.Criteria = query is { Length: > 0 } ? query : null;
        if (entry.Verb == Verb.Post)
        {
            if (entry.Id is not null || entry.Criteria is not null)
            {
                entry.Refuse(
                    400,
                    "value",
                    "bundle-url",
                    $"A POST creates: its url is {type} alone. Use PUT {type}/id to choose the id, and request.ifNoneExist for a conditional create.",
                    expression,
                    url
                );
            }
        }
        else if (entry.Id is null && entry.Criteria is null)
        {
            entry.Refuse(
                400,
                "required",
                "bundle-url",
                $"A {Name(entry.Verb)} says which resource: {type}/id, or {type}?criteria.",
                expression,
                url
            );
        }
        if (entry.Verb == Verb.Delete)
        {
            return;
        }
        if (!entry.Resource.Exists)
        {
            entry.Refuse(
                400,
                "required",
                "bundle-resource",
                $"A {Name(entry.Verb)} needs entry.resource.",
                entry.ResourcePath,
                url
            );
            return;
        }
        if (entry.Verb != Verb.Patch)
        {
            CheckBody(entry);
        }
    }

    /// <summary>Holds the body against the URL: same type, and for an update the same id.</summary>
    public static void CheckBody(Entry entry)
    {
        if (ResourceTypeOf(entry) is not { } type)
        {
            return;
        }
        if (type != entry.Type)
        {
            entry.Refuse(
                400,
                "invalid",
                "resource-type",
                $"The URL speaks of {entry.Type}, the resource is a {type}. Send it to {type}.",
                entry.ResourcePath + ".resourceType",
                entry.Resource["resourceType"u8]
            );
            return;
        }
        var id = entry.Resource["id"u8];
        if (entry.Verb != Verb.Put)
        {
            return;
        }
        if (entry.Id is not null && !id.Exists)
        {
            entry.Refuse(
                400,
                "required",
                "id-missing",
                $"An update's resource bears its id: set id to '{entry.Id}', as in the URL.",
                entry.ResourcePath + ".id",
                entry.Resource
            );
        }
        else if (id.Exists && (id.Kind != JsonKind.String || !LogicalId.IsValid(id.Text)))
        {
            entry.Refuse(400, "value", "id-format", LogicalId.Rule, entry.ResourcePath + ".id", id);
        }
        else if (entry.Id is not null && id.Text != entry.Id)
        {
            entry.Refuse(
                400,
                "invalid",
                "id-mismatch",
                $"The URL says '{entry.Id}', the resource's id is '{id.Text}'. They must be the same.",
                entry.ResourcePath + ".id",
                id
            );
        }
    }

    /// <summary>The resource's type, or null with a reason at the entry.</summary>
    private static string? ResourceTypeOf(Entry entry)
    {
        var name = entry.Resource["resourceType"u8];
        if (name.Kind != JsonKind.String)
        {
            entry.Refuse(
                400,
                "structure",
                "resource-type",
                "A resource begins with resourceType, such as \"resourceType\": \"Task\".",
                (entry.ResourcePath.Length > 0 ? entry.ResourcePath + "." : "") + "resourceType",
                name.Exists ? name : entry.Resource
            );
            return null;
        }
        var type = name.Text!;
        if (ResourceTypes.Find(type) is { } known)
        {
            return known;
        }
        entry.Refuse(400, "structure", "resource-type", UnknownType(type), entry.ResourcePath + ".resourceType", name);
        return null;
    }

    /// <summary>Says that a type is unknown, and which one may be meant.</summary>
    public static string UnknownType(string name) =>
        ResourceTypes.NearestTo(name) is { } nearest
            ? $"'{Shown(name)}' is no resource type of R4. Did you mean {nearest}?"
            : $"'{Shown(name)}' is no resource type of R4.";

    private static string Name(Verb verb) => verb.ToString().ToUpperInvariant();

    private static string Shown(FhirElement value) => Shown(value.Text ?? value.Kind.ToString());

    private static string Shown(string text) => text.Length > 64 ? text[..64] + "..." : text;

    private static readonly string[] BundleNames =
    [
        "resourceType",
        "id",
        "meta",
        "implicitRules",
        "language",
        "identifier",
        "type",
        "timestamp",
        "total",
        "link",
        "entry",
        "signature",
    ];

    private static readonly string[] EntryNames =
    [
        "id",
        "extension",
        "modifierExtension",
        "link",
        "fullUrl",
        "resource",
        "search",
        "request",
        "response",
    ];

    private static readonly string[] RequestNames =
    [
        "id",
        "extension",
        "modifierExtension",
        "method",
        "url",
        "ifNoneMatch",
        "ifModifiedSince",
        "ifMatch",
        "ifNoneExist",
    ];

    private static void Strange(FhirElement element, string[] known, string path, List<Issue> issues)
    {
        foreach (var child in element.Children)
        {
            var name = child.NameUtf8;
            if (name.Length > 0 && name[0] == (byte)'_')
            {
                name = name[1..];
            }
            var found = false;
            foreach (var candidate in known)
            {
                if (System.Text.Ascii.Equals(name, candidate))
                {
                    found = true;
                    break;
                }
            }
            if (!found)
            {
                issues.Add(
                    Refusal.Because(
                        "structure",
                        "unknown-property",
                        $"{path} has no property '{Shown(child.Name)}' in R4. Known are: {string.Join(", ", known)}.",
                        path,
                        child
                    )
                );
            }
        }
    }
}
