namespace CcmFhir.Ehr;

/// <summary>What one try to deliver came to.</summary>
/// <param name="Kind">Accepted, Refused or Unanswered, as it is journalled.</param>
/// <param name="Note">What is journalled with it.</param>
internal sealed record TryResult(Journal.RecordKind Kind, DeliveryNote Note)
{
    /// <summary>The EHR has it.</summary>
    public static TryResult Accepted(DeliveryNote note) => new(Journal.RecordKind.ClaimAccepted, note);

    /// <summary>Final.</summary>
    public static TryResult Refused(DeliveryNote note) => new(Journal.RecordKind.ClaimRefused, note);

    /// <summary>Open.</summary>
    public static TryResult Unanswered(DeliveryNote note) => new(Journal.RecordKind.ClaimUnanswered, note);
}

/// <summary>A resource to be created at the EHR exactly once.</summary>
/// <param name="Type">Its type.</param>
/// <param name="System">System of the identifier that it carries and that nothing else carries.</param>
/// <param name="Value">Value of that identifier.</param>
/// <param name="Json">The resource.</param>
/// <param name="MayHaveArrived">An earlier try may have brought it there.</param>
/// <param name="SendBefore">Nothing is sent after this instant: another instance may look after the claim from then on.</param>
internal sealed record NewResource(
    string Type,
    string System,
    string Value,
    ReadOnlyMemory<byte> Json,
    bool MayHaveArrived,
    DateTimeOffset SendBefore
);

/// <summary>Creates a resource at an EHR that may lose requests, lose answers, answer nonsense, or hold to If-None-Exist only mostly.
/// The rule: while an earlier try may have arrived, nothing is sent before a search by identifier has shown that it did not.</summary>
internal static class CreateOnce
{
    /// <summary>One try by a plain create, with If-None-Exist where it is declared. What it cannot decide stays open and says so.</summary>
    /// <param name="ehr">The EHR.</param>
    /// <param name="known">What the EHR declares; null when it does not tell.</param>
    /// <param name="item">The resource.</param>
    /// <param name="cancel">Gives up.</param>
    public static Task<TryResult> TryAsync(
        EhrSession ehr,
        EhrCapabilities? known,
        NewResource item,
        CancellationToken cancel
    )
    {
        var conditional = known is null || known[item.Type].ConditionalCreate;
        return TryAsync(
            ehr,
            known,
            item,
            // What is not known to be declared is not relied on.
            conditional && known is not null && ehr.Connection.TrustConditionalCreate,
            async () =>
            {
                List<(string, string)> headers = [("Prefer", "return=representation")];
                if (conditional)
                {
                    headers.Add(("If-None-Exist", Condition(item)));
                }
                var answer = await ehr.SendAsync(HttpMethod.Post, item.Type, item.Json, headers, cancel);
                return await JudgeAsync(ehr, item, answer, cancel);
            },
            cancel
        );
    }

    /// <summary>One try by any request.</summary>
    /// <param name="ehr">The EHR.</param>
    /// <param name="known">What the EHR declares; null when it does not tell.</param>
    /// <param name="item">The resource.</param>
    /// <param name="repeatable">The EHR itself sees to it that a repeated request makes nothing new.</param>
    /// <param name="send">Sends the request and judges its answer.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<TryResult> TryAsync(
        EhrSession ehr,
        EhrCapabilities? known,
        NewResource item,
        bool repeatable,
        Func<Task<TryResult>> send,
        CancellationToken cancel
    )
    {
        var searchable = known is null || known[item.Type].FindByIdentifier;
        if (item.MayHaveArrived || (searchable && !repeatable))
        {
            var finding = await FindAsync(ehr, item, cancel);
            if (Decide(finding, item) is { } decided)
            {
                return decided;
            }
            // Without a search a first try is still safe; what may have arrived is not sent again in the dark.
            if (!finding.Known && (item.MayHaveArrived || !finding.Hopeless))
            {
                return Undecided(finding, item.MayHaveArrived, item.MayHaveArrived && finding.Hopeless);
            }
        }
        return ehr.Clock.GetUtcNow() < item.SendBefore
            ? await send()
            : TryResult.Unanswered(
                new DeliveryNote
                {
                    Problem = DeliveryProblem.Stopped,
                    Text = "The try took too long before anything was sent, and was given up.",
                }
            );
    }

    /// <summary>The condition of a conditional create.</summary>
    public static string Condition(NewResource item) =>
        $"identifier={Uri.EscapeDataString(item.System)}|{Uri.EscapeDataString(item.Value)}";

    /// <summary>What the EHR's answer to a create says, with a search where it does not say enough.</summary>
    public static async Task<TryResult> JudgeAsync(
        EhrSession ehr,
        NewResource item,
        EhrAnswer answer,
        CancellationToken cancel
    )
    {
        if (answer.Problem is not null)
        {
            return TryResult.Unanswered(
                Note(answer, answer.Problem, answer.Text!) with
                {
                    MayHaveArrived = answer.Left,
                    NotBefore = answer.RetryAfter,
                }
            );
        }
        if (answer.Success && Created(answer, item) is { } created)
        {
            return TryResult.Accepted(created);
        }
        switch (answer.Status)
        {
            case >= 200 and < 300:
            case 409 or 412:
                return await AskAsync(ehr, item, answer, cancel);
            case >= 300 and < 400:
                return TryResult.Unanswered(
                    Note(
                        answer,
                        DeliveryProblem.Redirect,
                        $"The EHR sends us on to {Host(answer.Location)} ({answer.StatusText}); claims are not sent to another address than the one configured. If the EHR has moved, change 'ehr.baseUrl'."
                    )
                );
            case 401:
                return TryResult.Unanswered(
                    Note(
                        answer,
                        DeliveryProblem.NotAuthorized,
                        $"The EHR does not let us in ({answer.StatusText}). Check 'ehr.auth'. {answer.OutcomeText()}"
                    )
                );
            case 425 or 429:
                return TryResult.Unanswered(
                    Note(answer, DeliveryProblem.Busy, $"The EHR asks for fewer requests ({answer.StatusText}).") with
                    {
                        NotBefore = answer.RetryAfter,
                    }
                );
            case 408 or >= 500:
                return TryResult.Unanswered(
                    Note(
                        answer,
                        DeliveryProblem.ServerFault,
                        $"The EHR failed ({answer.StatusText}). {answer.OutcomeText()}"
                    ) with
                    {
                        MayHaveArrived = true,
                        NotBefore = answer.RetryAfter,
                    }
                );
            default:
                return TryResult.Refused(
                    Note(
                        answer,
                        DeliveryProblem.Refused,
                        $"The EHR refuses it ({answer.StatusText}). {answer.OutcomeText()}"
                    )
                );
        }
    }

    /// <summary>Looks for the resource at the EHR.</summary>
    public static Task<EhrFinding> FindAsync(EhrSession ehr, NewResource item, CancellationToken cancel) =>
        EhrSearch.FindAsync(ehr, item.Type, item.System, item.Value, cancel);

    /// <summary>What a finding decides; null when it decides nothing, or shows that the resource is not there.</summary>
    public static TryResult? Decide(EhrFinding finding, NewResource item) =>
        finding.Matches switch
        {
            [var match] => TryResult.Accepted(
                new DeliveryNote
                {
                    EhrReference = match.Reference,
                    EhrVersion = match.Version,
                    EhrStatus = match.Status,
                    Text = "Found at the EHR by its identifier.",
                }
            ),
            [_, _, ..] => TryResult.Refused(
                Note(
                    finding.Answer,
                    DeliveryProblem.Duplicates,
                    $"The EHR holds {finding.Matches.Count} {item.Type} resources with this identifier: {string.Join(", ", finding.Matches.Select(match => match.Reference))}. Mark all but one entered-in-error and remove their identifier there, then resend: the one left is found and nothing is sent."
                ) with
                {
                    Answer = null,
                }
            ),
            _ => null,
        };

    /// <summary>A note about an answer.</summary>
    public static DeliveryNote Note(EhrAnswer answer, string problem, string text) =>
        new()
        {
            Problem = problem,
            Text = text.TrimEnd(),
            Status = answer.Status == 0 ? null : answer.Status,
            Answer = answer.Kept,
        };

    private static async Task<TryResult> AskAsync(
        EhrSession ehr,
        NewResource item,
        EhrAnswer answer,
        CancellationToken cancel
    )
    {
        var finding = await FindAsync(ehr, item, cancel);
        if (Decide(finding, item) is { } decided)
        {
            return decided with { Note = decided.Note with { Status = answer.Status } };
        }
        if (answer.Status == 409 && finding.Known)
        {
            return TryResult.Refused(
                Note(
                    answer,
                    DeliveryProblem.Refused,
                    $"The EHR refuses it ({answer.StatusText}). {answer.OutcomeText()}"
                )
            );
        }
        var said = answer.Success
            ? Note(
                answer,
                DeliveryProblem.UnclearAnswer,
                $"The EHR answers {answer.StatusText} without saying which resource it made"
            )
            : Note(
                answer,
                DeliveryProblem.Contradiction,
                $"The EHR answers {answer.StatusText}. {answer.OutcomeText()}"
            );
        var looked = finding.Known
            ? "; a search for the identifier finds nothing. It is looked for again before anything is sent."
            : $"; {finding.Text}";
        return TryResult.Unanswered(
            said with
            {
                Text = said.Text + looked,
                MayHaveArrived = true,
                NeedsPerson = finding.Hopeless,
                Problem = finding.Hopeless ? DeliveryProblem.InDoubt : said.Problem,
            }
        );
    }

    private static TryResult Undecided(EhrFinding finding, bool mayHaveArrived, bool hopeless) =>
        TryResult.Unanswered(
            Note(
                finding.Answer,
                hopeless ? DeliveryProblem.InDoubt : finding.Answer.Problem ?? DeliveryProblem.UnclearAnswer,
                hopeless
                    ? $"An earlier try may have arrived, and the EHR cannot be asked: {finding.Text} Look in the EHR; then say 'claims confirm' when it is there, or 'claims resend --not-there' when it is not."
                    : $"Nothing was sent: whether the EHR has it already must be known first. {finding.Text}"
            ) with
            {
                MayHaveArrived = mayHaveArrived,
                NeedsPerson = hopeless,
                NotBefore = finding.Answer.RetryAfter,
            }
        );

    /// <summary>The resource that a 2xx speaks of, where it can be told: a 201 by its Location, any by a body that carries our identifier.</summary>
    private static DeliveryNote? Created(EhrAnswer answer, NewResource item)
    {
        var (reference, version) = answer.Status == 201 ? FromLocation(answer.Location, item.Type) : default;
        if (answer.ResourceType == item.Type && EhrSearch.Carries(answer.Json!.Root, item.System, item.Value))
        {
            var body = answer.Json!.Root;
            reference ??= body["id"u8].Text is { } id ? $"{item.Type}/{id}" : null;
            version ??= body["meta"u8]["versionId"u8].Text;
        }
        return reference is null
            ? null
            : new DeliveryNote
            {
                Status = answer.Status,
                EhrReference = reference,
                EhrVersion = version ?? answer.Version,
            };
    }

    /// <summary><c>Type/id</c> and version out of a Location.</summary>
    public static (string? Reference, string? Version) FromLocation(string? location, string type)
    {
        var parts = (location ?? "").Split('?')[0].TrimEnd('/').Split('/');
        var version = parts is [.., "_history", var last] ? last : null;
        if (version is not null)
        {
            parts = parts[..^2];
        }
        return parts is [.., var found, var id] && found == type && id.Length is > 0 and <= 64
            ? ($"{type}/{id}", version)
            : (null, null);
    }

    private static string Host(string? location) =>
        Uri.TryCreate(location, UriKind.Absolute, out var address)
            ? address.GetLeftPart(UriPartial.Authority)
            : "another place";
}
