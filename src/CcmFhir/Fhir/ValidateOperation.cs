using CcmFhir.Intake;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary><c>$validate</c> [resource-operation-validate.html]: says what intake would say, and stores nothing.</summary>
/// <param name="door">What intake asks of a resource.</param>
internal sealed class ValidateOperation(Door door)
{
    /// <summary>Answers it: 200 with an OperationOutcome, whatever is found.</summary>
    /// <param name="request">The request.</param>
    /// <param name="body">The resource, or Parameters that hold it.</param>
    /// <param name="type">Type from the URL; null at the base.</param>
    public FhirAnswer Answer(FhirRequest request, FhirElement body, string? type)
    {
        var (resource, path) = (body, "");
        var (profile, mode) = (request.Parameter("profile"), request.Parameter("mode"));
        if (body["resourceType"u8].Is("Parameters"u8) && type is not "Parameters")
        {
            resource = default;
            var index = 0;
            foreach (var parameter in body["parameter"u8].Items)
            {
                if (parameter["name"u8].Is("resource"u8))
                {
                    resource = parameter["resource"u8];
                    path = FormattableString.Invariant($"Parameters.parameter[{index}].resource");
                }
                else if (parameter["name"u8].Is("profile"u8))
                {
                    profile = parameter["valueUri"u8].Text ?? parameter["valueCanonical"u8].Text ?? profile;
                }
                else if (parameter["name"u8].Is("mode"u8))
                {
                    mode = parameter["valueCode"u8].Text ?? mode;
                }
                index++;
            }
            if (!resource.Exists)
            {
                return mode == "delete"
                    ? new FhirAnswer(200, OutcomeWriter.ToBytes([]))
                    : FhirAnswer.Of(
                        Refusal.Of(
                            400,
                            "required",
                            "validate-resource",
                            "Parameters hold no parameter 'resource' to validate.",
                            "Parameters.parameter",
                            body
                        )
                    );
            }
        }
        if (mode is not (null or "create" or "update" or "delete" or "profile"))
        {
            return FhirAnswer.Of(
                Refusal.Of(400, "value", "validate-mode", "mode is create, update, delete or profile.")
            );
        }
        if (profile is not null && !door.Knows(profile))
        {
            return FhirAnswer.Of(
                Refusal.Of(
                    400,
                    "not-found",
                    "profile-unknown",
                    $"The profile '{profile}' is not known here, so nothing can be said about it."
                )
            );
        }
        return Report(request, resource, type, profile, mode, path);
    }

    private FhirAnswer Report(
        FhirRequest request,
        FhirElement resource,
        string? type,
        string? profile,
        string? mode,
        string path
    )
    {
        var name = resource["resourceType"u8].Text;
        if (name is null || ResourceTypes.Find(name) is not { } known)
        {
            return FhirAnswer.Of(
                Refusal.Of(
                    400,
                    "structure",
                    "resource-type",
                    name is null
                        ? "A resource begins with resourceType, such as \"resourceType\": \"Task\"."
                        : BundleRequest.UnknownType(name),
                    "resourceType",
                    resource
                )
            );
        }
        if (type is not null && type != known)
        {
            return FhirAnswer.Of(
                Refusal.Of(
                    400,
                    "invalid",
                    "resource-type",
                    $"The URL speaks of {type}, the resource is a {known}.",
                    known + ".resourceType",
                    resource["resourceType"u8]
                )
            );
        }
        if (mode == "delete")
        {
            return new FhirAnswer(200, OutcomeWriter.ToBytes([]));
        }
        return new FhirAnswer(
            200,
            OutcomeWriter.ToBytes(Issues(request, resource, known, profile, path.Length > 0 ? path : known))
        );
    }

    // What stands in a Bundle is held against what intake would hold it against, each entry by itself.
    private List<Issue> Issues(FhirRequest request, FhirElement resource, string type, string? profile, string path)
    {
        var found = new List<Issue>();
        Add(resource, type, profile, path);
        if (type != "Bundle")
        {
            return found;
        }
        var index = 0;
        foreach (var element in resource["entry"u8].Items)
        {
            var inner = element["resource"u8];
            if (inner["resourceType"u8].Text is { } name && ResourceTypes.Find(name) is { } known)
            {
                Add(inner, known, null, FormattableString.Invariant($"{path}.entry[{index}].resource"));
            }
            index++;
        }
        return found;

        void Add(FhirElement each, string itsType, string? asked, string where)
        {
            var entry = new Entry { Type = itsType, Resource = each };
            door.Check(entry, each, where, request.Arrival, asked);
            foreach (var issue in (Issue[])[.. entry.Issues, .. entry.Warnings])
            {
                // The Bundle as a whole may have said it already.
                if (!found.Exists(said => said.Rule == issue.Rule && said.Expression == issue.Expression))
                {
                    found.Add(issue);
                }
            }
        }
    }
}
